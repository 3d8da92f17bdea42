// The ways in which a call can go wrong, and what each of them does to it.
import { RecollectError } from '../src/index.ts'
import type { Worker } from './worker.ts'

/**
 * error: nothing is done. lost: done, and the acknowledgement is lost. late: the caller is told an error, and it is done a
 * moment later, when the caller has sent it again; later: after the thread's next turn. hang: nothing is done and no answer
 * comes within the client's time limit. stall: the worker stands still for longer than its lease, then goes on as if nothing
 * had been. crash-before, crash-after: the worker is gone, and nothing of it runs on.
 * away, deaf: error and lost, at this call and every further one of its name by this worker.
 */
export const modes = [
  'error',
  'lost',
  'late',
  'later',
  'hang',
  'stall',
  'crash-before',
  'crash-after',
  'away',
  'deaf',
] as const

export type Mode = (typeof modes)[number]

/** The client's own time limit, and how late a late write lands: after a resend, which comes after 50 ms. */
export const hangMs = 150
const lateMs = 120

export function crashes(mode: Mode): boolean {
  return mode === 'crash-before' || mode === 'crash-after'
}

/** Whether it goes on with every further call. */
export function lasts(mode: Mode): boolean {
  return mode === 'away' || mode === 'deaf'
}

/** Whether the one that called makes good by itself, so that its own caller never knows. */
export function hidden(mode: Mode): boolean {
  return ['error', 'lost', 'late', 'later', 'hang'].includes(mode)
}

/** A call that meets a fault. Rejects as the port would, or never settles when the worker is gone. */
export async function broken<Result>(
  mode: Mode,
  { name, call, worker }: { name: string; call: () => Promise<Result>; worker: Worker },
): Promise<Result> {
  switch (mode) {
    case 'error':
    case 'away':
      break
    case 'lost':
    case 'deaf':
      await call().catch(() => {})
      break
    case 'late':
      worker.world.land(lateMs, call)
      break
    case 'later':
      worker.world.landLater(call)
      break
    case 'hang':
      await pause(hangMs)
      break
    case 'stall':
      worker.stall()
      return worker.settling(worker.awake().then(call))
    case 'crash-before':
      worker.die()
      break
    case 'crash-after':
      await call().catch(() => {})
      worker.die()
  }
  return worker.settling(Promise.reject(failureOf(name)))
}

/** What the client of that service would throw. */
function failureOf(name: string): Error {
  if (name.startsWith('model.')) return new RecollectError('model_failed', 'The model did not answer.')
  if (name.startsWith('shop.')) return new Error('The shop did not answer.')
  return new RecollectError('storage_unavailable', `${name} did not answer.`)
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
