// A deploy: Workers of version 1 and of this one on one database at once, some of which are lost in mid-turn.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { postgresBinaries } from '../../../local/neon/throwaway-postgres.ts'
import { neonCheckpointer } from '../../../src/adapters/neon/index.ts'
import { append, type CompiledGraph, isRecollectError, StateGraph, sweep } from '../../../src/index.ts'
import type { Checkpointer } from '../../../src/ports/checkpointer.ts'
import { type NeonDatabase, postgresDatabase } from '../../contract/neon-database.ts'
import { seeded } from '../../kernel/random.ts'
import { altered, passing, unavailable } from '../../runtime/doubles.ts'
import { checkpointerOfVersion1 } from './golden/checkpointer-1.ts'

const installed = postgresBinaries() !== undefined
// Longer than a busy machine takes for a turn: a lease that runs out under the living is another test.
const leaseMs = 1_500
let database: NeonDatabase
beforeAll(async () => {
  if (installed) database = await postgresDatabase(12)
})
afterAll(() => database?.close())

/** Every attempt answers differently, so that an answer that was told can be told from one that was stored. */
function workerOf(checkpointer: Checkpointer, name: string): CompiledGraph {
  let attempts = 0
  return new StateGraph({
    state: { log: append<string>() },
    nodes: {
      ask: async ({ log }) => ({ log: `${log.at(-1)}: asked by ${name}, ${++attempts}` }),
      answer: async ({ log }) => ({ log: `${log.at(-2)}: answered by ${name}, ${++attempts}` }),
    },
    edges: { start: 'ask', ask: 'answer' },
  }).compile({ checkpointer, leaseMs }) as CompiledGraph
}

test.skipIf(!installed)(
  '120 turns on 6 threads, by 4 Workers of two versions, one in eight of which dies: none is lost or doubled (skipped where no Postgres is installed)',
  async () => {
    const random = seeded(1)
    const mortal = (inner: Checkpointer) =>
      altered(inner, {
        // Half of those that die have committed before.
        commitStep: async (commit) => {
          const dies = random.chance(1 / 8)
          if (dies && random.chance(0.5)) throw unavailable()
          const outcome = await inner.commitStep(commit)
          if (dies) throw unavailable()
          return outcome
        },
      })
    const older = () => workerOf(mortal(checkpointerOfVersion1(database.sql)), 'version 1')
    const newer = () => workerOf(mortal(neonCheckpointer(database.sql)), 'this version')
    const workers = [older(), newer(), older(), newer()]
    const told = new Map<string, string>()
    const turn = async (number: number) => {
      const at = { tenant: 'deploy', user: 'ada', thread: `t-${number % 6}` }
      for (;;) {
        const worker = workers[random.int(workers.length)] ?? expect.unreachable()
        try {
          const { values } = await worker.run({ log: `turn ${number}` }, { ...at, key: `k${number}` })
          told.set(
            `turn ${number}`,
            (values.log as string[]).find((line) => line.startsWith(`turn ${number}: answered`)) ?? '',
          )
          return
        } catch (error) {
          if (!isRecollectError(error) || !error.retryable) throw error
          await passing(20 + random.int(60))
        }
      }
    }
    await Promise.all(Array.from({ length: 120 }, (_, number) => turn(number)))
    expect((await sweep({ checkpointer: database.checkpointer, graphs: {} })).runs.found).toBe(0)
    const reader = workerOf(database.checkpointer, 'reader')
    for (let thread = 0; thread < 6; thread++) {
      const { log } = (await reader.state({ tenant: 'deploy', user: 'ada', thread: `t-${thread}` })).values as {
        log: string[]
      }
      expect(log).toHaveLength(60)
      for (let index = 0; index < 60; index += 3) {
        expect(log[index]).toMatch(/^turn \d+$/)
        expect(log[index + 2]).toBe(told.get(log[index] ?? ''))
      }
      expect(new Set(log).size).toBe(60)
    }
    expect(new Set([...told.values()].map((line) => / by (.*), /.exec(line)?.[1]))).toEqual(
      new Set(['version 1', 'this version']),
    )
  },
  180_000,
)
