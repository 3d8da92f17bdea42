// Waiting for one's turn on a busy thread.
import { RecollectError } from '../kernel/errors.ts'
import type { TurnRequest } from './turn-request.ts'

const patienceMs = 120_000
const shortestMs = 250
const longestMs = 15_000
/** What a turn takes, until the line has moved. */
const usualMs = 1_000

/** One request's place in a line, and how fast the line moves. */
export class Line {
  readonly #since = performance.now()
  /** How many were ahead at first. */
  #first: number | undefined

  /**
   * Until it is worth asking again: the farther behind, the later; at once when the request is cancelled. Throws `run_queued`
   * after two minutes, or when the worker has to go; the run stays in line.
   */
  async turnToCome(
    { run, ahead }: { run: string; ahead: number },
    { thread, signal, handOver }: TurnRequest,
  ): Promise<void> {
    const stays = new RecollectError(
      'run_queued',
      `Run "${run}" waits for its turn on thread "${thread}", behind ${ahead} others. It is kept and will be run; ask for it later.`,
      { details: { run, ahead }, retryAfterMs: longestMs },
    )
    if (performance.now() - this.#since > patienceMs) throw stays
    await pause(this.#pauseMs(ahead), [signal, handOver])
    if (handOver?.aborted && !signal?.aborted) throw stays
  }

  /**
   * The one at work is ahead too: whoever is next asks most often. Half of what it should take, for the line moves no faster than
   * those in it ask.
   */
  #pauseMs(ahead: number): number {
    this.#first ??= ahead
    const moved = this.#first - ahead
    const eachMs = moved > 0 ? (performance.now() - this.#since) / moved : usualMs
    return Math.min(Math.max(((ahead - 1) * eachMs) / 2, shortestMs), longestMs)
  }
}

function pause(ms: number, ends: readonly (AbortSignal | undefined)[]): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer)
      for (const end of ends) end?.removeEventListener('abort', go)
      resolve()
    }
    const timer = setTimeout(go, ms)
    for (const end of ends) end?.addEventListener('abort', go)
    // It may have been aborted while the claim was asked for.
    if (ends.some((end) => end?.aborted)) go()
  })
}
