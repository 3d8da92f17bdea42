// schema.sql on an empty database, again, and on every released one gives the same database; and released threads go on.
// Every release leaves `golden/schema-<version>.sql` and `golden/rows-<version>.sql` behind; they are never edited after it.
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { postgresBinaries } from '../../../local/neon/throwaway-postgres.ts'
import { migrate } from '../../../src/adapters/neon/index.ts'
import { append, last, StateGraph, sweep } from '../../../src/index.ts'
import { type NeonDatabase, pgliteDatabase, postgresDatabase, schema } from '../../contract/neon-database.ts'
import { catalogueOf } from './catalogue.ts'

const golden = (name: string) => new URL(`golden/${name}`, import.meta.url)
const text = (name: string) => readFileSync(golden(name), 'utf8')
const released = readdirSync(golden('')).flatMap((name) => /^schema-(\d+)\.sql$/.exec(name)?.[1] ?? [])

let database: NeonDatabase
beforeAll(async () => {
  database = await pgliteDatabase('')
})
afterAll(() => database?.close())
beforeEach(async () => {
  await database.sql`drop schema if exists recollect cascade`
})

/** What the current schema makes of an empty database. */
async function current(): Promise<string> {
  await migrate(database.sql, schema)
  const catalogue = await catalogueOf(database)
  await database.sql`drop schema recollect cascade`
  return catalogue
}

test('schema.sql gives the catalogue that is written down for its version', async () => {
  const catalogue = await current()
  const version = /^version (\d+)$/m.exec(catalogue)?.[1]
  // Before a release: copy schema.sql to golden/schema-<version>.sql and run this with --update. After it: raise the version.
  await expect(catalogue).toMatchFileSnapshot(`golden/catalogue-${version}.txt`)
  expect(released).toContain(version)
})

test('schema.sql run a second time changes nothing', async () => {
  await migrate(database.sql, schema)
  const first = await catalogueOf(database)
  await migrate(database.sql, schema)
  expect(await catalogueOf(database)).toBe(first)
})

test('schema.sql that fails leaves the database as it was', async () => {
  const broken = `${schema}\ncreate table recollect.broken (id nonsense);\n`
  await expect(migrate(database.sql, broken)).rejects.toMatchObject({ code: 'storage_failed' })
  expect(await database.sql`select 1 from pg_namespace where nspname = 'recollect'`).toEqual([])
})

test('a database without the schema is said to be outdated, with the command that mends it', async () => {
  const asked = database.checkpointer.threads.get({ tenant: 'a', thread: 'b', owner: null })
  await expect(asked).rejects.toMatchObject({
    code: 'schema_outdated',
    message: expect.stringContaining('npm run migrate'),
  })
})

describe.each(released)('a database of released version %s', (version) => {
  beforeEach(async () => {
    await migrate(database.sql, text(`schema-${version}.sql`))
  })

  test('is what was released', async () => {
    expect(await catalogueOf(database)).toBe(text(`catalogue-${version}.txt`))
  })

  test('becomes the current one, once and twice, with rows in it', async () => {
    await migrate(database.sql, text(`rows-${version}.sql`))
    for (let time = 0; time < 2; time++) await migrate(database.sql, schema)
    const upgraded = await catalogueOf(database)
    await database.sql`drop schema recollect cascade`
    expect(upgraded).toBe(await current())
  })

  test('has threads that load, go on, and are finished where their worker is gone', async () => {
    await migrate(database.sql, text(`rows-${version}.sql`))
    await migrate(database.sql, schema)
    const { checkpointer } = database
    const app = new StateGraph({
      state: { log: append<string>(), odd: last<unknown>() },
      nodes: { a: () => ({ log: 'a' }) },
      edges: { start: 'a' },
    }).compile({ checkpointer })
    const at = { tenant: 'acme', user: 'ada', thread: 't-1' }
    const log = ['one', 'a', 'two \u0000 \ud83d', 'a']
    expect(await app.state(at)).toMatchObject({ checkpoint: '4', values: { log, odd: new Date(0) }, next: [] })
    expect((await app.history(at)).map(({ values, next }) => [values.log.length, ...next])).toEqual([
      [4],
      [3, 'a'],
      [2],
      [1, 'a'],
    ])
    const key = { tenant: 'acme', thread: 't-1', owner: 'ada' }
    expect(await checkpointer.threads.get(key)).toMatchObject({
      metadata: { topic: 'billing', odd: '\u0000' },
      status: 'error',
    })
    expect(await checkpointer.runs.get(key, 'run-3')).toMatchObject({ status: 'error', error: { code: 'node_failed' } })
    expect((await app.invoke({ log: 'three' }, at)).log).toEqual([...log, 'three', 'a'])
    const { found, finished } = (await sweep({ checkpointer, graphs: { default: app } })).runs
    expect(finished).toBe(found)
    expect((await app.state({ tenant: 'acme', user: 'bob', thread: 't-2' })).values.log).toEqual(['orphan', 'a'])
  })
})

test.skipIf(postgresBinaries() === undefined)(
  'a Postgres server makes the same of it as PGlite, also under two migrations at once (skipped where none is installed)',
  async () => {
    const server = await postgresDatabase(4, '')
    try {
      await Promise.all([migrate(server.sql, schema), migrate(server.sql, schema)])
      expect(await catalogueOf(server)).toBe(await current())
    } finally {
      await server.close()
    }
  },
)

test('what version 2 kept of unfinished work is gone on with: parts, finished siblings, messages, a cancellation', async () => {
  await migrate(database.sql, text('schema-2.sql'))
  await migrate(database.sql, text('rows-2.sql'))
  await migrate(database.sql, schema)
  const { checkpointer } = database
  const delivered: unknown[] = []
  const app = new StateGraph({
    state: { log: append<string>() },
    nodes: {
      a: () => ({ log: 'run again' }),
      b: async (_, { task }) => ({ log: await task('part', () => 'made again') }),
    },
    edges: { start: 'a' },
  }).compile({ checkpointer, deliver: { told: ({ id, payload }) => void delivered.push([id, payload]) } })
  const bob = { tenant: 'acme', user: 'bob' }
  expect((await app.invoke(null, { ...bob, thread: 't-3' })).log).toEqual(['in', 'kept', 'kept too'])
  const swept = await sweep({ checkpointer, graphs: { default: app } })
  expect(swept).toMatchObject({ runs: { found: 2, finished: 2, failed: 0 }, messages: { delivered: 1 } })
  expect(delivered).toEqual([
    ['run-10:1:0.1', 'by the sibling'],
    ['run-2:1:0.1', { at: new Date(0) }],
  ])
  expect(await checkpointer.runs.get({ tenant: 'acme', thread: 't-4', owner: null }, 'run-11')).toMatchObject({
    status: 'cancelled',
  })
  expect((await app.state({ ...bob, thread: 't-4' })).values.log).toEqual(['unwanted'])
})
