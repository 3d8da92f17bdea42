// Waiting for one's turn on a busy thread.
import { RecollectError } from '../kernel/errors.ts'
import type { TurnRequest } from './turn.ts'

const patienceMs = 120_000
const shortestMs = 250
const longestMs = 15_000

/**
 * Until it is worth asking again: the longer the line, the later; at once when the request is cancelled. Throws `run_queued`
 * after two minutes, or when the worker has to go; the run stays in line.
 */
export async function turnToCome(
  { run, ahead }: { run: string; ahead: number },
  { thread, signal, handOver }: TurnRequest,
  queuedAt: number,
): Promise<void> {
  const stays = new RecollectError(
    'run_queued',
    `Run "${run}" waits for its turn on thread "${thread}", behind ${ahead} others. It is kept and will be run; ask for it later.`,
    { details: { run, ahead }, retryAfterMs: longestMs },
  )
  if (performance.now() - queuedAt > patienceMs) throw stays
  const ends = [signal, handOver].filter((end) => end !== undefined)
  // The one at work is ahead too: whoever is next asks most often.
  const pauseMs = Math.min(Math.max((ahead - 1) * 1_000, shortestMs), longestMs)
  await new Promise<void>((resolve) => {
    const go = () => {
      clearTimeout(timer)
      for (const end of ends) end.removeEventListener('abort', go)
      resolve()
    }
    const timer = setTimeout(go, pauseMs)
    for (const end of ends) end.addEventListener('abort', go)
    // It may have been aborted while the claim was asked for.
    if (ends.some(({ aborted }) => aborted)) go()
  })
  if (handOver?.aborted && !signal?.aborted) throw stays
}
