// The hold on a thread while a turn goes on: renewed by the database's clock, and a signal for when it is lost.
import { RecollectError } from '../kernel/errors.ts'
import type { Checkpointer, ClaimRef } from '../ports/checkpointer.ts'

export interface Lease {
  /** Aborts when the claim is lost or the caller cancels. */
  readonly signal: AbortSignal
  end(): void
}

/** Renews every third of `leaseMs`. A renewal of unknown outcome says nothing: the next commit will. */
export function heldLease(
  checkpointer: Checkpointer,
  claim: ClaimRef,
  leaseMs: number,
  caller: AbortSignal | undefined,
): Lease {
  const aborting = new AbortController()
  const cancel = () => aborting.abort(new RecollectError('run_cancelled', 'The run was cancelled.'))
  if (caller?.aborted) cancel()
  caller?.addEventListener('abort', cancel)
  const timer = setInterval(() => {
    checkpointer.renewLease(claim, leaseMs).then(
      (held) => {
        if (!held) aborting.abort(fenced(claim.thread))
      },
      () => {},
    )
  }, leaseMs / 3)
  return {
    signal: aborting.signal,
    end() {
      clearInterval(timer)
      caller?.removeEventListener('abort', cancel)
    },
  }
}

export function fenced(thread: string): RecollectError {
  return new RecollectError(
    'run_fenced',
    `Another worker has taken over thread "${thread}", or its head was moved. Nothing of this attempt was kept; read the thread, or send the request again.`,
  )
}
