// Sends a write of unknown outcome again, unchanged (T8). Every write of the checkpointer may be sent twice.
import { isRecollectError } from '../kernel/errors.ts'

const firstPauseMs = 50
const longestPauseMs = 2_000

/** Tries for about `patienceMs` while the answer is `storage_unavailable`; anything else is thrown at once. */
export async function resend<Result>(write: () => Promise<Result>, patienceMs: number): Promise<Result> {
  let waitedMs = 0
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await write()
    } catch (error) {
      if (!isUnknownOutcome(error) || waitedMs >= patienceMs) throw error
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      waitedMs += pauseMs
    }
  }
}

/** Whether what was sent may have been done all the same. */
export function isUnknownOutcome(error: unknown): boolean {
  return isRecollectError(error) && error.code === 'storage_unavailable'
}
