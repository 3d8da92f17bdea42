// What the published Neon client sees, the same over both engines.
import { NeonDbError, type NeonQueryFunction } from '@neondatabase/serverless'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Engine } from '../../../local/neon/engine.ts'
import { pgliteEngine } from '../../../local/neon/pglite.ts'
import { postgresEngine } from '../../../local/neon/postgres.ts'
import { neonHttp } from '../../../local/neon/server.ts'
import { postgresBinaries, type ThrowawayPostgres, throwawayPostgres } from '../../../local/neon/throwaway-postgres.ts'
import type { StandIn } from '../../../local/stand-in.ts'
import { client, password } from './client.ts'

const bootMs = 60_000

describe('over PGlite', () => {
  contract(() => pgliteEngine())
})

describe.skipIf(postgresBinaries() === undefined)('over a Postgres server (skipped where none is installed)', () => {
  let server: ThrowawayPostgres
  beforeAll(async () => {
    server = await throwawayPostgres({ fsync: false })
  }, bootMs)
  afterAll(() => server?.stop())

  contract(async () => postgresEngine(server.connectionString, 4))

  test('transactions run side by side, and one that a lock holds up waits for the other', async () => {
    const engine = postgresEngine(server.connectionString, 2)
    const standIn = await neonHttp({ password, engine })
    const sql = client(standIn.port)
    await engine.script('create table turns (id int primary key, n int); insert into turns values (1, 0)')
    const increment = () =>
      sql.transaction([sql`select pg_sleep(0.02)`, sql`update turns set n = n + 1 where id = 1 returning n`])
    const outcomes = await Promise.all([increment(), increment(), increment()])
    expect(outcomes.map(([, rows]) => rows?.[0]?.n).sort()).toEqual([1, 2, 3])
    await standIn.close()
    await engine.close()
  })

  test('of two serializable transactions that cannot both have come first, one fails with 40001', async () => {
    const engine = postgresEngine(server.connectionString, 2)
    const standIn = await neonHttp({ password, engine })
    const sql = client(standIn.port)
    await engine.script('create table duty (name text, is_on boolean)')
    const sign = (name: string) =>
      sql.transaction(
        [sql`select count(*) from duty`, sql`select pg_sleep(0.1)`, sql`insert into duty values (${name}, true)`],
        { isolationLevel: 'Serializable' },
      )
    const outcomes = await Promise.allSettled([sign('ada'), sign('bob')])
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(failures.map(({ reason }) => reason.code)).toEqual(['40001'])
    await standIn.close()
    await engine.close()
  })

  test(
    'a server that is not there is a 500, and one that dies under a statement an error without a code',
    async () => {
      const nobody = postgresEngine('postgresql://postgres@127.0.0.1:1/postgres')
      await expect(nobody.query([{ text: 'select 1', params: [] }])).rejects.toMatchObject({ status: 500 })
      await nobody.close()

      const mortal = await throwawayPostgres({ fsync: false })
      const engine = postgresEngine(mortal.connectionString)
      const standIn = await neonHttp({ password, engine })
      const slow = client(standIn.port)`select pg_sleep(10)`.catch((error: unknown) => error)
      const sleeping = () =>
        engine.query([{ text: "select 1 from pg_stat_activity where query like 'select pg_sleep%'", params: [] }])
      await expect.poll(async () => (await sleeping())[0]?.rows.length).toBe(1)
      await mortal.stop()
      const error = await slow
      expect(error).toBeInstanceOf(NeonDbError)
      expect(['', '57P01', '57P02']).toContain(error instanceof NeonDbError ? error.code : undefined)
      await standIn.close()
      await engine.close()
    },
    bootMs,
  )
})

function contract(open: () => Promise<Engine>) {
  let engine: Engine
  let standIn: StandIn
  let sql: NeonQueryFunction<false, false>

  beforeAll(async () => {
    engine = await open()
    standIn = await neonHttp({ password, engine })
    sql = client(standIn.port)
    await engine.script(`
      create schema recollect;
      create table recollect.threads (id text primary key, title text);
      create function recollect.begin_turn_v1(id text) returns table (epoch bigint) language sql as 'select 9007199254740993';
    `)
  }, bootMs)
  afterAll(async () => {
    await standIn?.close()
    await engine?.close()
  })
  beforeEach(async () => {
    Object.assign(standIn.knobs, { fault: 'none' })
    await sql`truncate recollect.threads`
    standIn.log.length = 0
  })

  test('every type comes back as it was sent', async () => {
    const at = new Date('2026-02-28T23:59:59.123Z')
    const bytes = Buffer.from([0, 1, 254, 255])
    const document = { text: `it's "quoted" \\ and 👩🏽‍🚀`, list: [1, null, { deep: true }] }
    const [row] =
      await sql`select ${'9007199254740993'}::int8 as big, ${'1.10'}::numeric as exact, ${document}::jsonb as document,
      ${['a', 'b "c"', null]}::text[] as texts, ${[1, 2]}::int4[] as numbers, ${bytes} as bytes, ${at}::timestamptz as at,
      ${null}::text as nothing, ${''}::text as empty, ${`o'clock; --\n"` + '🦊'}::text as text, ${true}::boolean as yes`
    expect(row).toEqual({
      big: '9007199254740993',
      exact: '1.10',
      document,
      texts: ['a', 'b "c"', null],
      numbers: [1, 2],
      bytes,
      at,
      nothing: null,
      empty: '',
      text: `o'clock; --\n"🦊`,
      yes: true,
    })
  })

  test('a full result has fields, command and row count', async () => {
    const inserted = await sql.query(
      'insert into recollect.threads values ($1, $2), ($3, $4) returning id',
      ['a', 'x', 'b', 'y'],
      {
        fullResults: true,
      },
    )
    expect(inserted).toMatchObject({ command: 'INSERT', rowCount: 2, rows: [{ id: 'a' }, { id: 'b' }] })
    expect(inserted.fields[0]).toMatchObject({
      name: 'id',
      dataTypeID: 25,
      columnID: 1,
      dataTypeSize: -1,
      format: 'text',
    })
    expect(inserted.fields[0]?.tableID).toBeGreaterThan(0)
    const created = await sql.query('create table if not exists recollect.threads (id text)', [], { fullResults: true })
    expect(created).toMatchObject({ command: 'CREATE', rowCount: null, rows: [], fields: [] })
  })

  test('an unknown column is 42703 with its position as a string', async () => {
    await expect(sql`select missing from recollect.threads`).rejects.toMatchObject({
      name: 'NeonDbError',
      code: '42703',
      severity: 'ERROR',
      position: '8',
      message: 'column "missing" does not exist',
    })
  })

  test('a duplicate key is 23505 with constraint, table, schema and detail', async () => {
    await sql`insert into recollect.threads values ('a')`
    await expect(sql`insert into recollect.threads values ('a')`).rejects.toMatchObject({
      code: '23505',
      constraint: 'threads_pkey',
      table: 'threads',
      schema: 'recollect',
      detail: 'Key (id)=(a) already exists.',
    })
  })

  test('a query holds one statement', async () => {
    await expect(sql`select 1; select 2`).rejects.toMatchObject({ code: '42601' })
    await expect(sql.query('select $1')).rejects.toMatchObject({ code: '08P01' })
  })

  test('a transaction gives one result per statement and commits', async () => {
    const [inserted, counted] = await sql.transaction([
      sql`insert into recollect.threads values ('a', 'first') returning title`,
      sql`select count(*) from recollect.threads`,
    ])
    expect(inserted).toEqual([{ title: 'first' }])
    expect(counted).toEqual([{ count: '1' }])
    expect(await sql`select id from recollect.threads`).toEqual([{ id: 'a' }])
    expect(await sql.transaction([])).toEqual([])
  })

  test('a transaction with an error leaves nothing behind, and the next statement is unharmed', async () => {
    const failing = sql.transaction([sql`insert into recollect.threads values ('a')`, sql`select 1 / 0`])
    await expect(failing).rejects.toMatchObject({ code: '22012' })
    expect(await sql`select * from recollect.threads`).toEqual([])
  })

  test('an error at the commit rejects the transaction', async () => {
    await engine.script(`
      create table if not exists parents (id int primary key);
      create table if not exists children (id int references parents deferrable initially deferred);
    `)
    await expect(sql.transaction([sql`insert into children values (7)`])).rejects.toMatchObject({ code: '23503' })
    expect(await sql`select * from children`).toEqual([])
  })

  test('isolation, read-only and deferrable reach the database', async () => {
    const shown = await sql.transaction(
      [sql`show transaction_isolation`, sql`show transaction_read_only`, sql`show transaction_deferrable`],
      { isolationLevel: 'Serializable', readOnly: true, deferrable: true },
    )
    expect(shown.map(([row]) => Object.values(row ?? {})[0])).toEqual(['serializable', 'on', 'on'])
    const writing = sql.transaction([sql`insert into recollect.threads values ('a')`], { readOnly: true })
    await expect(writing).rejects.toMatchObject({ code: '25006' })
  })

  test('a signal that has fired keeps statements from starting and undoes an open transaction', async () => {
    const leaving = new AbortController()
    const statements = ['a', 'b'].map((id) => ({ text: 'insert into recollect.threads values ($1)', params: [id] }))
    const refused = engine.query(statements, { signal: AbortSignal.abort() })
    await expect(refused).rejects.toThrow('Query cancelled')
    const undone = engine.query(statements, {
      signal: leaving.signal,
      transaction: { readOnly: false, deferrable: false },
    })
    leaving.abort()
    await expect(undone).rejects.toThrow('Query cancelled')
    expect(await sql`select * from recollect.threads`).toEqual([])
  })

  test('a zero character is refused in text, in JSON and in a statement', async () => {
    await expect(sql`select ${'a\u0000b'}::text`).rejects.toMatchObject({ code: '22021' })
    await expect(sql`select ${{ text: 'a\u0000b' }}::jsonb`).rejects.toMatchObject({ code: '22P05' })
    await expect(sql.query("select 'a\u0000b'")).rejects.toMatchObject({ code: '', message: /encoding/ })
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
  })

  test('nothing of a session outlives its request', async () => {
    await sql`begin`
    await sql`insert into recollect.threads values ('a')`
    await sql`rollback`
    expect(await sql`select id from recollect.threads`).toEqual([{ id: 'a' }])

    await sql`set application_name = 'leaked'`
    await sql`create temporary table scratch (id int)`
    expect(await sql`select current_setting('application_name') = 'leaked' as leaked`).toEqual([{ leaked: false }])
    await expect(sql`select * from scratch`).rejects.toMatchObject({ code: '42P01' })
  })

  test('a connection dropped after the commit is an error without a code, and the row is there', async () => {
    standIn.knobs.fault = 'drop'
    const error = await sql`insert into recollect.threads values ('a')`.catch((reason: unknown) => reason)
    standIn.knobs.fault = 'none'
    expect(error).toBeInstanceOf(NeonDbError)
    expect(error instanceof NeonDbError && error.code).toBeUndefined()
    expect(await sql`select id from recollect.threads`).toEqual([{ id: 'a' }])
  })

  test('the log names what crossed: our functions by name, other statements by verb and table', async () => {
    await sql`select epoch from recollect.begin_turn_v1(${'a'})`
    await sql.transaction([sql`select * from recollect.threads`, sql`insert into recollect.threads (id) values ('b')`])
    expect(standIn.log.map(({ operations }) => operations)).toEqual([
      ['begin_turn_v1'],
      ['select recollect.threads', 'insert recollect.threads'],
    ])
  })

  test('a megabyte goes in and comes out whole', async () => {
    const text = '🐘é'.repeat(200_000)
    const [row] = await sql`select ${text}::text as text`
    expect(row?.text === text).toBe(true)
  })
}
