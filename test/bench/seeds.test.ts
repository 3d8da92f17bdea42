// The long threads of the bench are copies: whatever stands in any table of ours is copied, and what Postgres makes itself made anew.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { copyTenant } from '../../bench/peers/seeds.ts'
import { neonStore } from '../../src/adapters/neon/index.ts'
import { append, StateGraph } from '../../src/index.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'

let database: NeonDatabase
beforeAll(async () => {
  database = await pgliteDatabase()
})
afterAll(() => database.close())

test('a thread, its messages and memories are those of the copy, which goes on by itself', async () => {
  const { sql, checkpointer } = database
  const app = new StateGraph({
    state: { log: append<string>() },
    nodes: {
      say: async (_, context) => {
        await context.outbox('mail', { to: 'Ada' })
        return { log: 'said' }
      },
    },
    edges: { start: 'say' },
  }).compile({ checkpointer, deliver: { mail: () => Promise.reject(new Error('later')) } })
  const at = { tenant: 'a', user: 'ada', thread: 't' }
  await app.invoke({ log: 'one' }, at)
  await neonStore(sql).put({ tenant: 'a', namespace: ['users', 'ada'], key: 'k', value: { text: 'Likes tea.' } })

  await copyTenant(sql, 'a', 'b')
  const tables = await sql`select table_name as name from information_schema.columns
    where table_schema = 'recollect' and column_name = 'tenant'`
  const counts = await Promise.all(
    tables.map(async ({ name }) => {
      const rows = await sql.query(`select tenant, count(*)::int as count from recollect.${name} group by 1 order by 1`)
      return [name, rows.map(({ count }) => count)]
    }),
  )
  for (const [name, both] of counts) expect([name, both]).toEqual([name, both.length === 0 ? [] : [both[0], both[0]]])
  expect(counts.filter(([, both]) => both.length > 0).map(([name]) => name)).toEqual(
    expect.arrayContaining(['threads', 'checkpoints', 'runs', 'outbox', 'items']),
  )
  expect((await app.invoke({ log: 'two' }, { ...at, tenant: 'b' })).log).toEqual(['one', 'said', 'two', 'said'])
  expect((await app.state(at)).values).toEqual({ log: ['one', 'said'] })
})
