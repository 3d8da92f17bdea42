// Time limits of clients, which a slow machine exceeds: they do not run out where they are not the question.
import { afterAll, beforeAll, vi } from 'vitest'

/** In the file or the `describe` that calls it, from before its first test to after its last. */
export function withoutTimeLimits(): void {
  let limits: { mockRestore(): void } | undefined
  beforeAll(() => {
    limits = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => new AbortController().signal)
  })
  afterAll(() => limits?.mockRestore())
}
