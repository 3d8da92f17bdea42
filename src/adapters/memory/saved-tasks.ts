// What tasks of an unfinished superstep have given, in the in-memory database.
import type { SavedTask } from '../../ports/checkpointer.ts'
import type { StoredCheckpoint, StoredRun, StoredThread } from './tables.ts'

export type Superstep = { readonly run: string; readonly step: number }

/**
 * The superstep that comes next: that of a run with an input to take in, or with a checkpoint of its own to begin at, is its own
 * first; else it is the one behind the head, whichever run goes on with it. Behind a head from which a branch has left already,
 * or that came from another thread, it is a new one.
 */
export function nextSuperstep(thread: StoredThread, run: StoredRun): Superstep {
  const head = thread.checkpoints[thread.record.head]
  if (head === undefined || head.seq === 0 || beginsAnew(thread, head, run)) return { run: run.record.run, step: 1 }
  return { run: head.run, step: head.step + 1 }
}

function beginsAnew(
  { checkpoints, runs }: StoredThread,
  head: StoredCheckpoint,
  { record, input, carried, forkFrom }: StoredRun,
): boolean {
  if (record.step > 0) return false
  if ((input ?? 'null') !== 'null' || carried.length > 0 || forkFrom !== undefined) return true
  const branched = checkpoints.slice(head.seq + 1).some((later) => later?.parent === head.seq)
  return branched || !runs.some(({ record }) => record.run === head.run)
}

export function savedOf(thread: StoredThread, { run, step }: Superstep): SavedTask[] {
  return thread.saved
    .filter((saved) => saved.run === run && saved.step === step)
    .map(({ task, key, value }) => ({ task, key, value }))
}

/** The first value kept is the value. */
export function save(thread: StoredThread, superstep: Superstep, parts: readonly SavedTask[]): void {
  const known = savedOf(thread, superstep)
  const fresh = parts.filter(({ task, key }) => !known.some((saved) => saved.task === task && saved.key === key))
  thread.saved = [...thread.saved, ...fresh.map((part) => ({ ...superstep, ...part }))]
}
