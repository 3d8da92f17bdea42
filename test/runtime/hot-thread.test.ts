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

test.skipIf(postgresBinaries() === undefined)(
  '6 turns at once, by 3 workers, wait for each other and keep the order of their tickets (skipped where no Postgres is installed)',
  async () => {
    const database = await postgresDatabase(10)
    try {
      const workers = [1, 2, 3].map((worker) =>
        new StateGraph({
          state: { log: append<string>() },
          nodes: { a: async ({ log }) => ({ log: `${log.at(-1)} by ${worker}` }) },
          edges: { start: 'a' },
        }).compile({ checkpointer: neonCheckpointer(database.sql) }),
      )
      const turns = Array.from({ length: 6 }, (_, number) => `turn ${number}`)
      const results = await Promise.all(
        turns.map((text, number) => {
          const app = workers[number % workers.length] ?? expect.unreachable()
          return app.run({ log: text }, { ...at, key: text, strategy: 'enqueue' })
        }),
      )
      for (const [number, { values }] of results.entries()) {
        expect(values.log.at(-2)).toBe(turns[number])
        expect(values.log.at(-1)).toContain(`${turns[number]} by `)
      }
      const tickets = await database.sql`select key from recollect.runs order by ticket`
      const { log } = (await (workers[0] ?? expect.unreachable()).state(at)).values
      expect(log.filter((_, index) => index % 2 === 0)).toEqual(tickets.map((row) => row.key))
      expect(log).toHaveLength(12)
    } finally {
      await database.close()
    }
  },
)

test.skipIf(postgresBinaries() === undefined)(
  '10 turns at once that interrupt each other: every message once, one run that ends well (skipped where no Postgres is installed)',
  async () => {
    const database = await postgresDatabase(10)
    try {
      const app = new StateGraph({
        state: { log: append<string>() },
        nodes: { a: async () => ({ log: await passing(300).then(() => 'answer') }) },
        edges: { start: 'a' },
      }).compile({ checkpointer: neonCheckpointer(database.sql) })
      const turns = Array.from({ length: 10 }, (_, number) => `turn ${number}`)
      const outcomes = await Promise.allSettled(
        turns.map((text) => app.invoke({ log: text }, { ...at, strategy: 'interrupt' })),
      )
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      const { log } = (await app.state(at)).values
      expect(log.slice(0, -1).toSorted()).toEqual(turns)
      expect(log.at(-1)).toBe('answer')
    } finally {
      await database.close()
    }
  },
)
