// A thread's checkpoints in memory: branches, chains, snapshots and the sizes that go with them.
import type { Frame, NewCheckpoint } from '../../ports/checkpointer.ts'
import type { StoredCheckpoint, StoredThread } from './tables.ts'

/** Adds a child of the head and makes it the head. */
export function grow(thread: StoredThread, run: string, checkpoint: NewCheckpoint, createdAt: string): void {
  const { head } = thread.record
  const parent = thread.checkpoints[head]
  const bytes = Buffer.byteLength(checkpoint.delta)
  const sizes =
    parent?.snapshot === undefined
      ? { chainBytes: (parent?.chainBytes ?? 0) + bytes, baseBytes: parent?.baseBytes ?? 0 }
      : { chainBytes: bytes, baseBytes: Buffer.byteLength(parent.snapshot) }
  const seq = thread.checkpoints.length
  thread.checkpoints.push({ seq, parent: head, run, createdAt, ...checkpoint, ...sizes, snapshot: undefined })
  thread.record = { ...thread.record, head: seq }
  thread.headHash = checkpoint.hash
}

/** Sets the sizes of the checkpoints between it and the head right; those behind a later snapshot count from that one. */
export function attachSnapshot(thread: StoredThread, checkpoint: StoredCheckpoint, text: string): void {
  checkpoint.snapshot = text
  const above = [...branch(thread, thread.record.head)].filter(({ seq }) => seq > checkpoint.seq).reverse()
  if (above[0]?.parent !== checkpoint.seq) return
  for (const later of above) {
    later.chainBytes -= checkpoint.chainBytes
    later.baseBytes = Buffer.byteLength(text)
    if (later.snapshot !== undefined) break
  }
}

/** Down to the first snapshot at or below the `count`th, or to the root; oldest first. */
export function chain(thread: StoredThread, from: number, count: number): Frame[] {
  const frames: Frame[] = []
  for (const { seq, parent, hash, run, step, createdAt, delta, snapshot } of branch(thread, from)) {
    const place = { seq, parent, hash, run, step, createdAt }
    if (snapshot !== undefined && frames.length + 1 >= count) {
      frames.push({ ...place, kind: 'snapshot', text: snapshot })
      break
    }
    frames.push({ ...place, kind: 'delta', text: delta })
  }
  return frames.reverse()
}

/** A checkpoint and those before it, newest first. Checkpoint 0 is a place holder: the thread before its first. */
function* branch(thread: StoredThread, seq: number): Generator<StoredCheckpoint> {
  for (let at = seq; at > 0; ) {
    const checkpoint = thread.checkpoints[at]
    if (checkpoint === undefined) return
    yield checkpoint
    at = checkpoint.parent
  }
}
