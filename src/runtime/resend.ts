// Sends a write of unknown outcome again, unchanged (T8). Every write of the checkpointer may be sent twice.
import { isRecollectError } from '../kernel/errors.ts'

/** For a commit. Longer than one statement may take: what the model said is worth a second try. */
export const commitPatienceMs = 20_000
const firstPauseMs = 50
const longestPauseMs = 2_000

/** Tries again until `patienceMs` are over, or `signal` aborts, while the answer is `storage_unavailable`; anything else is thrown at once. */
export async function resend<Result>(
  write: () => Promise<Result>,
  patienceMs: number,
  signal?: AbortSignal,
): Promise<Result> {
  const startedAt = performance.now()
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await write()
    } catch (error) {
      const spent = performance.now() - startedAt + pauseMs > patienceMs
      if (spent || signal?.aborted || !isUnknownOutcome(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}

/** Whether the write may have been done all the same. */
export function isUnknownOutcome(error: unknown): boolean {
  return isRecollectError(error) && error.code === 'storage_unavailable'
}
