// A client: asks until it is answered, with the same key, as one that means it does.
import type { BusyStrategy, RecollectError, RunEvent } from '../src/index.ts'
import type { Told } from './checker.ts'
import { pause } from './mode.ts'
import { linesOf } from './program.ts'
import type { Worker } from './worker.ts'
import type { World } from './world.ts'

export interface Request {
  /** Also its idempotency key. */
  readonly name: string
  readonly thread: string
  readonly strategy: BusyStrategy
  /** False: whoever's worker is gone does not come back. */
  readonly returns: boolean
  readonly watch?: (event: RunEvent) => void
  /** Aborts when the first worker has to go. */
  readonly handOver?: AbortSignal
  /** Tells from the first what is told, for readers elsewhere. */
  readonly record?: boolean
}

/** Longer than a lease and than a queued run is left to whoever waits for it; a commit that nobody answers takes 20 s of it. */
const patienceMs = 90_000
const shortestPauseMs = 20
const longestPauseMs = 300
export const owner = 'ada'

/** Until it is accepted or refused for good, or will not come back. */
export async function insist(world: World, request: Request): Promise<Told> {
  const { name, thread, strategy, returns, handOver, record = false } = request
  const askedAt = performance.now()
  const streams: RunEvent[][] = []
  const told = (outcome: Told['outcome'], more: { lines?: readonly string[]; code?: string } = {}): Told => {
    const answeredAt = performance.now()
    return { request: name, outcome, lines: [], stays: returns, streams, askedAt, answeredAt, ...more }
  }
  let input: unknown = world.program.input(name)
  let key = name
  for (let tries = 1; performance.now() - askedAt < patienceMs; tries++) {
    const worker: Worker = world.worker(name)
    const events: RunEvent[] = []
    streams.push(events)
    const emit = (event: RunEvent) => {
      events.push(event)
      request.watch?.(event)
    }
    const at = { tenant: world.tenant, user: owner, thread, record }
    const leaving = tries === 1 && handOver !== undefined ? { handOver } : {}
    const outcome = await worker.attempt(() =>
      worker.app.run(input, { ...at, ...leaving, key, strategy, emit, waitUntil: worker.defer }),
    )
    if (outcome === 'gone') {
      if (!returns) return told('unknown')
    } else if ('value' in outcome) {
      return told('accepted', { lines: linesOf(outcome.value.values) })
    } else if (failedForGood(outcome.error)) {
      // The input is kept: what is left is to go on from it, as a request of its own.
      input = null
      key = `${name} goes on after ${tries}`
    } else if (!outcome.error.retryable) {
      return told('ended', { code: outcome.error.code })
    }
    await pause(Math.min(shortestPauseMs * tries, longestPauseMs))
  }
  return told('unknown')
}

/** The run has ended with an error that may pass. Whoever was pushed aside has ended too, and must not go on. */
export function failedForGood({ code, details }: RecollectError): boolean {
  return code === 'model_failed' || code === 'node_failed' || (code === 'run_failed' && details?.status === 'error')
}
