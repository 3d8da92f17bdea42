// The test that matters, against `npm run dev`: a fact of one thread is found in another, in other words, also after everything was
// killed; another person learns nothing of it; and once it is forgotten it is gone everywhere.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { neon, neonConfig } from '@neondatabase/serverless'
import { Index } from '@upstash/vector'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { localSecrets } from '../../local/secrets.ts'
import { type LocalStack, startStack, tokenFrom } from './local-stack.ts'

let data: string
let stack: LocalStack
let alex: string
let bob: string

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'recollect-memory-'))
  stack = await startStack(data)
  alex = await tokenFrom(data, 'acme', 'alex')
  bob = await tokenFrom(data, 'acme', 'bob')
})
afterAll(async () => {
  await stack?.kill().catch(() => {})
  await rm(data, { recursive: true, force: true })
})

const canary = 'zanzibarkluster'

test('a fact is known in every thread of its person, through SIGKILL, and nowhere once it is forgotten', {
  timeout: 240_000,
}, async () => {
  const told = await say(alex, 'a', `remember that I deploy my services on the ${canary}`)
  expect(told).toContain('remembered as [')
  expect(await asks(alex, 'b')).toContain(canary)

  await stack.kill()
  stack = await startStack(data)
  expect(await asks(alex, 'c')).toContain(canary)
  expect(await asks(bob, 'd')).toContain('Nothing is remembered')
  expect(await found(alex)).toHaveLength(1)
  expect(await found(bob)).toHaveLength(0)

  const [, id = ''] = /\[([\w-]{24})\]/.exec(told) ?? []
  expect((await stack.post('/memories/forget', { id }, bob)).status).toBe(404)
  expect(await say(alex, 'e', `use forget {"id":"${id}"}`)).toContain('forgotten')
  expect(await asks(alex, 'f')).toContain('Nothing is remembered')
  expect(await found(alex)).toHaveLength(0)
  expect(await (await stack.get('/memories/export', alex)).text()).toBe('')
  expect((await stack.get(`/memories/${id}/history`, alex)).status).toBe(404)
  // What was said stands in the threads where it was said, until the person is forgotten.
  expect(await tablesWith(canary)).toEqual(['checkpoints'])
  const forgotten = await (await stack.post('/memories/forget', { user: 'alex' }, alex)).json()
  expect(forgotten).toEqual({ items: 0, threads: 5 })
  expect(await tablesWith(canary)).toEqual([])
  expect(await vectors()).toBe(0)
  expect(await asks(alex, 'g')).toContain('Nothing is remembered')
})

async function say(token: string, thread: string, content: string): Promise<string> {
  const body = { assistant_id: 'support', input: { messages: [{ type: 'human', content }] }, if_not_exists: 'create' }
  const answer = await stack.post(`/threads/${thread}/runs/wait`, body, token)
  expect(answer.status).toBe(200)
  const { messages } = (await answer.json()) as { messages: { content: string }[] }
  return messages.at(-1)?.content ?? ''
}

/** In other words. */
function asks(token: string, thread: string): Promise<string> {
  return say(token, thread, 'use recall {"query":"Which place are their deployments at, of each service?"}')
}

async function found(token: string): Promise<unknown[]> {
  const user = token === alex ? 'alex' : 'bob'
  const search = { namespace_prefix: ['users', user], query: 'deployed services' }
  const answer = await stack.post('/store/items/search', search, token)
  return ((await answer.json()) as { items: unknown[] }).items
}

function addressOf(service: 'Postgres' | 'Vector'): string {
  return new RegExp(`${service}\\s+(http://\\S+)`).exec(stack.output)?.[1] ?? ''
}

async function tablesWith(text: string): Promise<string[]> {
  const { database } = await localSecrets(data)
  neonConfig.fetchEndpoint = addressOf('Postgres')
  const sql = neon(`postgresql://recollect:${database}@localhost/recollect`)
  const tables = await sql`select tablename from pg_tables where schemaname = 'recollect' order by 1`
  const having: string[] = []
  for (const { tablename } of tables as { tablename: string }[]) {
    const rows = await sql.query(`select 1 from recollect.${tablename} x where x::text like $1 limit 1`, [`%${text}%`])
    if (rows.length > 0) having.push(tablename)
  }
  return having
}

async function vectors(): Promise<number> {
  const index = new Index({ url: addressOf('Vector'), token: (await localSecrets(data)).vector })
  return (await index.info()).vectorCount
}
