// Waiting for what comes about by itself: a slow machine makes it later, and nothing is wrong with that.
import { vi } from 'vitest'

/** Longer than any machine takes, shorter than a test may: what never comes is told by the check that failed. */
export const longWaitMs = 15_000

/** Resolves once `check` no longer throws. */
export function until<Result>(check: () => Result | Promise<Result>, withinMs = longWaitMs): Promise<Result> {
  return vi.waitFor(check, withinMs)
}
