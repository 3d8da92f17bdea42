// What a request is told whose turn was refused.
import { RecollectError } from '../kernel/errors.ts'
import type { TurnClaim } from '../ports/checkpointer.ts'

export function unknownThread(thread: string): RecollectError {
  return new RecollectError(
    'thread_unknown',
    `There is no thread "${thread}". Create it, or check its id and the token's user.`,
  )
}

export function unknownRun(thread: string, run: string): RecollectError {
  return new RecollectError('run_unknown', `Thread "${thread}" has no run "${run}".`)
}

/** Most turns take seconds. The lease says only how long a worker that is gone keeps its thread. */
const busyRetryMs = 2_000

type Refusal = Exclude<TurnClaim, { outcome: 'claimed' | 'ended' | 'nothing-due' | 'queued' }>

export function refusal(thread: string, claim: Refusal): RecollectError {
  switch (claim.outcome) {
    case 'unknown-thread':
      return unknownThread(thread)
    case 'key-reused':
      return new RecollectError(
        'key_reused',
        'This idempotency key was used in this thread with another request. Use a fresh key for a new request.',
      )
    case 'busy':
      return busy(thread, claim)
  }
}

function busy(thread: string, { run, retryAfterMs }: { run: string; retryAfterMs: number }): RecollectError {
  return new RecollectError('thread_busy', `Thread "${thread}" is busy with another run. Try again in a moment.`, {
    retryAfterMs: Math.min(retryAfterMs, busyRetryMs),
    details: { run, leaseLeftMs: retryAfterMs },
  })
}
