// The wire of the Neon stand-in where it does not depend on the engine: modes, headers, refusals, limits.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine } from '../../../local/neon/engine.ts'
import { pgliteEngine } from '../../../local/neon/pglite.ts'
import { neonHttp } from '../../../local/neon/server.ts'
import type { StandIn } from '../../../local/stand-in.ts'
import { client, connectionString, password } from './client.ts'

let engine: Engine
let standIn: StandIn

beforeAll(async () => {
  engine = await pgliteEngine()
  standIn = await neonHttp({ password, engine })
}, 60_000)
afterAll(async () => {
  await standIn?.close()
  await engine?.close()
})

function post(body: unknown, headers: Record<string, string> = {}) {
  return fetch(`${standIn.url}/sql`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'neon-connection-string': connectionString(standIn.port), ...headers },
  })
}

test('raw text and array mode are two headers, and a query of a batch may choose its rows for itself', async () => {
  const query = `select 1 as n, true as yes, '{"a":[1]}'::jsonb as document, 'NaN'::float8 as odd, '{{1,NULL}}'::int4[] as grid, 5::int8 as big`
  const plain = { n: 1, yes: true, document: { a: [1] }, odd: 'NaN', grid: [[1, null]], big: '5' }
  const raw = { n: '1', yes: 't', document: '{"a": [1]}', odd: 'NaN', grid: '{{1,NULL}}', big: '5' }
  const body = async (response: Promise<Response>) => (await response).json()

  expect(await body(post({ query }))).toMatchObject({ rowAsArray: false, rows: [plain] })
  expect(await body(post({ query }, { 'neon-raw-text-output': 'true' }))).toMatchObject({ rows: [raw] })
  expect(await body(post({ query }, { 'neon-array-mode': 'true' }))).toMatchObject({
    rowAsArray: true,
    rows: [Object.values(plain)],
  })
  const mixed = await body(post({ queries: [{ query, arrayMode: true }, { query }] }))
  expect(mixed.results).toMatchObject([
    { rowAsArray: true, rows: [Object.values(plain)] },
    { rowAsArray: false, rows: [plain] },
  ])
})

test('parameters that are not text are turned into what Postgres reads', async () => {
  const query =
    'select $1::int4 as n, $2::boolean as yes, $3::jsonb as document, $4::text[] as texts, $5::text as nothing'
  const response = await post({ query, params: [42, false, { a: 'b' }, ['x "y"', null], null] })
  expect(await response.json()).toMatchObject({
    rows: [{ n: 42, yes: false, document: { a: 'b' }, texts: ['x "y"', null], nothing: null }],
  })
})

test('the batch headers are echoed, and only for a batch', async () => {
  const headers = {
    'neon-batch-isolation-level': 'RepeatableRead',
    'neon-batch-read-only': 'true',
    'neon-batch-deferrable': 'false',
  }
  const batch = await post({ queries: [{ query: 'select 1' }] }, headers)
  expect(batch.headers.get('neon-batch-isolation-level')).toBe('RepeatableRead')
  expect(batch.headers.get('neon-batch-read-only')).toBe('true')
  expect(batch.headers.get('neon-batch-deferrable')).toBeNull()
  expect(batch.headers.get('access-control-allow-origin')).toBe('*')
  const single = await post({ query: 'select 1' }, headers)
  expect(single.headers.get('neon-batch-isolation-level')).toBeNull()
  const wrong = await post({ queries: [] }, { 'neon-batch-isolation-level': 'Chaos' })
  expect([wrong.status, (await wrong.json()).message]).toEqual([400, 'invalid isolation level'])
})

test('a wrong password is refused with the words of Neon and without a code', async () => {
  await expect(client(standIn.port, 'guess')`select 1`).rejects.toMatchObject({
    name: 'NeonDbError',
    code: '',
    message: "password authentication failed for user 'someone'",
  })
})

test('a request that is not one is a 400 that says why', async () => {
  const message = async (response: Promise<Response>) => {
    const { status } = await response
    return [status, (await (await response).json()).message]
  }
  expect(await message(post('{'))).toEqual([400, expect.stringMatching(/^could not parse the HTTP request body: /)])
  expect(await message(post({ params: [] }))).toEqual([400, expect.stringContaining('missing field `query`')])
  expect(await message(post('{"query":"select $1","params":["\\ud83d"]}'))).toEqual([
    400,
    expect.stringContaining('surrogate'),
  ])
  expect(await message(post({ query: 'select 1' }, { 'neon-connection-string': 'postgresql://u@h/d' }))).toEqual([
    400,
    'missing authentication credentials: required password',
  ])
  expect((await fetch(`${standIn.url}/sql`)).status).toBe(404)
})

test('64 MiB is the end in both directions, and a transaction whose answer is too large is rolled back', async () => {
  const sql = client(standIn.port)
  await expect(sql`select ${'x'.repeat(64 * 1024 * 1024)}::text`).rejects.toThrow('Server error (HTTP status 413)')
  await sql`create table large (id int)`
  const answer = sql.transaction([sql`insert into large values (1)`, sql`select repeat('x', 64 * 1024 * 1024)`])
  await expect(answer).rejects.toThrow('Server error (HTTP status 507)')
  expect(await sql`select * from large`).toEqual([])
})

test('a statement that waits for input fails instead of taking the engine down', async () => {
  const sql = client(standIn.port)
  await sql`create table loaded (id int)`
  await expect(sql`copy loaded from stdin`).rejects.toMatchObject({ code: '57014' })
  expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
})
