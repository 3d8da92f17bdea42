// Many requests on one thread at once, by several workers, on a Postgres server: every turn once, none lost.
import { expect, test } from 'vitest'
import { postgresBinaries } from '../../local/neon/throwaway-postgres.ts'
import { neonCheckpointer } from '../../src/adapters/neon/index.ts'
import { append, isRecollectError, StateGraph } from '../../src/index.ts'
import { postgresDatabase } from '../contract/neon-database.ts'
import { at, passing } from './doubles.ts'

test.skipIf(postgresBinaries() === undefined)(
  '40 turns at once, by 4 workers, are each in the thread once, in one line (skipped where no Postgres is installed)',
  async () => {
    const database = await postgresDatabase(10)
    try {
      const workers = [1, 2, 3, 4].map((worker) =>
        new StateGraph({
          state: { log: append<string>() },
          nodes: { a: async ({ log }) => ({ log: `${log.at(-1)} by ${worker}` }) },
          edges: { start: 'a' },
        }).compile({ checkpointer: neonCheckpointer(database.sql) }),
      )
      const insist = async (number: number) => {
        const app = workers[number % workers.length] ?? expect.unreachable()
        for (;;) {
          try {
            return await app.invoke({ log: `turn ${number}` }, { ...at, key: `k${number}` })
          } catch (error) {
            if (!isRecollectError(error) || error.code !== 'thread_busy') throw error
            await passing(5 + (number % 7))
          }
        }
      }
      await Promise.all(Array.from({ length: 40 }, (_, number) => insist(number)))
      const app = workers[0] ?? expect.unreachable()
      const { log } = (await app.state(at)).values
      const asked = log.filter((_, index) => index % 2 === 0)
      expect(asked.toSorted()).toEqual(Array.from({ length: 40 }, (_, number) => `turn ${number}`).toSorted())
      for (const [index, question] of asked.entries()) expect(log[2 * index + 1]).toContain(`${question} by `)
      const parents = (await app.history(at, { limit: 200 })).map(({ parent }) => Number(parent ?? 0)).reverse()
      expect(parents).toEqual(Array.from({ length: 80 }, (_, index) => index))
    } finally {
      await database.close()
    }
  },
)
