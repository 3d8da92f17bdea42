// The hold on a thread while a turn goes on: renewed by the database's clock, and a signal for when it must end.
import { RecollectError } from '../kernel/errors.ts'
import type { Checkpointer, ClaimRef } from '../ports/checkpointer.ts'

export interface Lease {
  /** Aborts when the claim is lost, the run is cancelled, or the worker has to go. */
  readonly signal: AbortSignal
  end(): void
}

interface LeaseOptions {
  readonly leaseMs: number
  /** Cancels the run. */
  readonly cancel: AbortSignal | undefined
  /** The worker has to go: another one goes on with the run. */
  readonly handOver: AbortSignal | undefined
}

/** Renews every third of `leaseMs`. A renewal of unknown outcome says nothing: the next commit will. */
export function heldLease(
  checkpointer: Checkpointer,
  claim: ClaimRef,
  { leaseMs, cancel, handOver }: LeaseOptions,
): Lease {
  const aborting = new AbortController()
  const listening = new AbortController()
  when(cancel, listening.signal, () => aborting.abort(cancelled()))
  when(handOver, listening.signal, () => aborting.abort(handedOver()))
  const timer = setInterval(() => {
    checkpointer.renewLease(claim, leaseMs).then(
      (outcome) => {
        if (outcome !== 'held') aborting.abort(lost(claim, outcome))
      },
      () => {},
    )
  }, leaseMs / 3)
  return {
    signal: aborting.signal,
    end() {
      clearInterval(timer)
      listening.abort()
    },
  }
}

function when(signal: AbortSignal | undefined, listening: AbortSignal, act: () => void): void {
  if (signal?.aborted) act()
  else signal?.addEventListener('abort', act, { signal: listening })
}

/** Why a claim no longer holds. */
export function lost({ thread }: { readonly thread: string }, why: 'fenced' | 'cancelled'): RecollectError {
  if (why === 'cancelled') return cancelled()
  return new RecollectError(
    'run_fenced',
    `Another worker has taken over thread "${thread}", or its head was moved. Nothing of this attempt was kept; read the thread, or send the request again.`,
  )
}

export function cancelled(): RecollectError {
  return new RecollectError('run_cancelled', 'The run was cancelled.')
}

export function handedOver(): RecollectError {
  return new RecollectError(
    'run_handed_over',
    'This worker had to stop before the run was at its end. Another one goes on with it: join the run, or read the thread later.',
    { retryAfterMs: 5_000 },
  )
}
