// What tasks of an unfinished superstep have given, in the in-memory database.
import type { SavedTask } from '../../ports/checkpointer.ts'
import type { StoredRun, StoredThread } from './tables.ts'

type Superstep = { readonly run: string; readonly step: number }

/**
 * The superstep that comes next: that of a run with an input to take in is its own first; else it is the one behind the
 * head, whichever run goes on with it.
 */
export function nextSuperstep(thread: StoredThread, { record, input, carried }: StoredRun): Superstep {
  const head = thread.checkpoints[thread.record.head]
  const fresh = record.step === 0 && ((input ?? 'null') !== 'null' || carried.length > 0)
  return fresh || head === undefined || head.seq === 0
    ? { run: record.run, step: 1 }
    : { run: head.run, step: head.step + 1 }
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
