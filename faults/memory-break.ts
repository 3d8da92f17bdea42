// One call of a process that goes wrong: it is not done, or done and not acknowledged, and the process goes on or is gone.
import { RecollectError } from '../src/index.ts'
import type { Io } from './seam.ts'

export const breakModes = ['error', 'lost', 'crash-before', 'crash-after'] as const

export interface Break {
  /** Which call, from 0. */
  readonly at: number
  readonly mode: (typeof breakModes)[number]
}

export interface Breaking {
  readonly io: Io
  /** The names of all calls so far. */
  readonly calls: readonly string[]
  /** Whether the break was met. */
  met(): boolean
  /** What `work` gives; `undefined` when the process is gone before. */
  alive<Result>(work: Promise<Result>): Promise<Result | undefined>
}

/** As the client of that service would fail: of Postgres, a connection that was lost has no code. */
function failed(name: string): Error {
  const message = `${name} did not answer.`
  return name.startsWith('postgres.') ? new Error(message) : new RecollectError('storage_unavailable', message)
}

/** Without a break nothing goes wrong. After a crash no call is done and none is answered. */
export function breaking(broken?: Break): Breaking {
  const calls: string[] = []
  const death = Promise.withResolvers<undefined>()
  const never = new Promise<never>(() => {})
  let [met, dead] = [false, false]
  const io: Io = async (name, call) => {
    if (dead) return never
    const hit = calls.push(name) - 1 === broken?.at
    if (!hit) {
      const result = await call()
      return dead ? never : result
    }
    met = true
    const { mode } = broken
    if (mode === 'lost' || mode === 'crash-after') await call()
    dead = mode.startsWith('crash')
    if (!dead) throw failed(name)
    death.resolve(undefined)
    return never
  }
  return { io, calls, met: () => met, alive: (work) => Promise.race([work, death.promise]) }
}
