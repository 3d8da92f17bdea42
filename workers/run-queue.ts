// The queue that takes runs which a Worker has to give back, if one is bound.
import type { Orphan } from '../src/ports/index.ts'

/** The queue that takes runs which a Worker had to give back. Optional: without it the cron goes on with them. */
export interface RunQueue {
  send(run: Orphan, options?: { readonly delaySeconds?: number }): Promise<unknown>
}

export function runQueueOf(env: Readonly<Record<string, unknown>>): RunQueue | undefined {
  const { RUNS } = env
  return isQueue(RUNS) ? RUNS : undefined
}

function isQueue(binding: unknown): binding is RunQueue {
  return typeof binding === 'object' && binding !== null && 'send' in binding
}
