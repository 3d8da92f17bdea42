// Who is told of a run's events: the request's own watcher, and the event log for readers who come back to another worker.
import type { Claim } from './claim.ts'
import type { Emit } from './events.ts'
import { Recorder } from './recorder.ts'
import type { House, TurnRequest } from './turn.ts'

export interface Telling {
  readonly emit: Emit
  /** When all is written that is to be written. */
  readonly recorded: () => Promise<void>
}

/** An older run's events are not those of the request that finishes it. */
export function telling(
  { events: log }: House,
  { tenant, thread, watching, left, record, emit: watcher }: TurnRequest,
  { run, mine, epoch, owner }: Claim,
): Telling {
  const emit: Emit = mine || run === watching ? watcher : () => {}
  if (log === undefined) return { emit, recorded: async () => {} }
  const reader = mine ? { left, now: record } : { left: undefined, now: true }
  const recorder = new Recorder({ log, key: { tenant, thread, owner }, epoch, ...reader })
  return {
    emit: (event) => {
      emit(event)
      recorder.push(event)
    },
    recorded: () => recorder.end(),
  }
}
