// A thread's checkpoints in memory: branches, chains, snapshots and the sizes that go with them.
import type { Frame, NewCheckpoint } from '../../ports/chains.ts'
import { isLive, type StoredCheckpoint, type StoredRun, type StoredThread } from './tables.ts'

/** Adds a child of the head and makes it the head. */
export function grow(
  thread: StoredThread,
  { record: { run }, kind }: StoredRun,
  checkpoint: NewCheckpoint,
  createdAt: string,
): void {
  const { head } = thread.record
  const parent = thread.checkpoints[head]
  const bytes = Buffer.byteLength(checkpoint.delta)
  const sizes =
    parent?.snapshot === undefined
      ? { chainBytes: (parent?.chainBytes ?? 0) + bytes, baseBytes: parent?.baseBytes ?? 0 }
      : { chainBytes: bytes, baseBytes: Buffer.byteLength(parent.snapshot) }
  const seq = thread.checkpoints.length
  const place = { seq, parent: head, run, createdAt, updated: kind === 'update' }
  thread.checkpoints.push({ ...place, ...checkpoint, ...sizes, snapshot: undefined })
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

/** Down to the first snapshot at or below the `count`th, or to the root, or to where it was pruned; oldest first. */
export function chain(thread: StoredThread, from: number, count: number): Frame[] {
  const frames: Frame[] = []
  for (const { seq, parent, hash, run, step, createdAt, updated, delta, snapshot } of branch(thread, from)) {
    const place = { seq, parent, hash, run, step, createdAt, updated }
    const last = frames.length + 1 >= count || (parent > 0 && thread.checkpoints[parent] === undefined)
    if (snapshot !== undefined && last) {
      frames.push({ ...place, kind: 'snapshot', text: snapshot })
      break
    }
    frames.push({ ...place, kind: 'delta', text: delta })
  }
  return frames.reverse()
}

/**
 * Deletes checkpoints further than `keep` from the end of their branch, and behind a snapshot. Branches end at the head, at a
 * fork's last checkpoint, where a run that is due or waits would be rolled back to, and where one in line is to begin; what a
 * cancelled run left aside is no fork.
 */
export function prune(thread: StoredThread, keep: number): number {
  const there = thread.checkpoints.filter((checkpoint) => checkpoint !== undefined && checkpoint.seq > 0)
  const parents = new Set(there.map(({ parent }) => parent))
  const cancelled = new Set(
    thread.runs.filter(({ record }) => record.status === 'cancelled').map(({ record }) => record.run),
  )
  const forks = there.filter(({ seq, run }) => !parents.has(seq) && !cancelled.has(run)).map(({ seq }) => seq)
  const unfinished = thread.runs.filter((run) => isLive(run) || run.record.status === 'waiting')
  const bases = unfinished.flatMap(({ base, forkFrom }) => base ?? forkFrom ?? [])
  const kept = new Set(
    [thread.record.head, ...forks, ...bases].flatMap((tip) => chain(thread, tip, keep).map(({ seq }) => seq)),
  )
  const unwanted = there.filter(({ seq }) => !kept.has(seq))
  for (const { seq } of unwanted) delete thread.checkpoints[seq]
  return unwanted.length
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
