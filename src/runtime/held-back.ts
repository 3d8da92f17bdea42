// A superstep that begins before it is known whether it may: it tells nothing and writes nothing until then.
import type { Emit, RunEvent } from './events.ts'
import type { Held, RunScope } from './run-scope.ts'

/** What is known once it may. */
type Allowed = Pick<RunScope, 'emit' | 'signal'> & { readonly held: Held }

export interface HeldBack {
  /** What its tasks run with. */
  readonly scope: Pick<RunScope, 'held' | 'emit' | 'signal'>
  /** It may: what was held back is told, and the run's end is the tasks' end. */
  keep(allowed: Allowed): void
  /** It may not: its tasks are aborted. */
  drop(reason: unknown): void
}

export function heldBack(): HeldBack {
  const claimed = Promise.withResolvers<Held>()
  // What is dropped fails in silence.
  claimed.promise.catch(() => {})
  const aborting = new AbortController()
  let held: RunEvent[] = []
  let tell: Emit = (event) => held.push(event)
  return {
    scope: { held: claimed.promise, emit: (event) => tell(event), signal: aborting.signal },
    keep(allowed) {
      const stop = () => aborting.abort(allowed.signal.reason)
      if (allowed.signal.aborted) stop()
      allowed.signal.addEventListener('abort', stop)
      tell = allowed.emit
      for (const event of held) tell(event)
      held = []
      claimed.resolve(allowed.held)
    },
    drop(reason) {
      aborting.abort(reason)
      claimed.reject(reason)
    },
  }
}
