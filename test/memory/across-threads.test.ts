// The test that matters: a fact of one thread is found in another, in other words, by another Worker, by nobody else; and when it is
// forgotten it is gone everywhere.
import { Index } from '@upstash/vector'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { indexKindOf } from '../../local/vector/index-kind.ts'
import { type ThrowawayVector, throwawayVector } from '../../local/vector/throwaway-vector.ts'
import { neonCheckpointer, neonStore } from '../../src/adapters/neon/index.ts'
import { upstashItemIndex } from '../../src/adapters/upstash/index.ts'
import { serve } from '../../src/http/index.ts'
import {
  callsTools,
  END,
  indexedStore,
  latestText,
  messages,
  recalled,
  recallNode,
  rememberTool,
  StateGraph,
  sweep,
  toolNode,
  user,
} from '../../src/index.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'
import { secret, tokenFor } from '../http/deployment.ts'

let database: NeonDatabase
let vector: ThrowawayVector
beforeAll(async () => {
  database = await pgliteDatabase()
  vector = await throwawayVector({ kind: indexKindOf('sparse') })
})
afterAll(async () => {
  await vector?.stop()
  await database?.close()
})

const tools = [rememberTool()]

/** Remembers what begins with "I", and says what it was given to read. */
const model = () =>
  scriptedModel((said) => {
    const last = said.at(-1)
    if (last?.role === 'tool') return 'I will remember that.'
    if (last?.content.startsWith('I ')) return { calls: [{ name: 'remember', arguments: { text: last.content } }] }
    return said.find(({ id }) => id === 'recalled')?.content ?? 'I know nothing.'
  })

/** Everything made anew, as another Worker has it. */
function worker() {
  const checkpointer = neonCheckpointer(database.sql)
  const index = upstashItemIndex({ url: vector.url, token: vector.token, kind: 'sparse', timeoutMs: 30_000 })
  const store = indexedStore({ items: neonStore(database.sql, { indexed: true }), index })
  const app = new StateGraph({
    state: { messages: messages(), recalled: recalled() },
    nodes: {
      recall: recallNode(),
      reply: async (state, context) => {
        return { messages: await context.model.reply(state.messages, { tools, recalled: state.recalled }) }
      },
      tools: toolNode(tools),
    },
    edges: { start: 'recall', recall: 'reply', reply: (state) => (callsTools(state) ? 'tools' : END), tools: 'reply' },
  }).compile({ checkpointer, store, model: model(), name: 'chat' })
  const say = async (person: string, thread: string, text: string) => {
    const deferred: Promise<unknown>[] = []
    const waitUntil = (work: Promise<unknown>) => void deferred.push(work)
    const state = await app.invoke({ messages: user(text) }, { tenant: 'acme', user: person, thread, waitUntil })
    await Promise.all(deferred)
    return latestText(state)
  }
  const settled = async () => {
    for (let time = 0; time < 2; time++) {
      await database.sql`update recollect.outbox set due_at = now() - interval '1 second'`
      await sweep({ checkpointer, graphs: { chat: app }, store })
    }
  }
  const http = serve({ graphs: { chat: app }, checkpointer, store, auth: { secret } })
  return { say, settled, http }
}

/** Where a text stands: in which tables, and in which namespaces of the index. */
async function placesOf(text: string): Promise<string[]> {
  const tables = await database.sql`select tablename from pg_tables where schemaname = 'recollect'`
  const places: string[] = []
  for (const { tablename } of tables as { tablename: string }[]) {
    const found = await database.sql.query(`select 1 from recollect.${tablename} x where x::text like $1 limit 1`, [
      `%${text}%`,
    ])
    if (found.length > 0) places.push(tablename)
  }
  const index = new Index({ url: vector.url, token: vector.token })
  for (const namespace of await index.listNamespaces()) {
    const { vectors } = await index.range(
      { cursor: 0, limit: 1_000, includeData: true, includeMetadata: true },
      { namespace },
    )
    if (JSON.stringify(vectors).includes(text)) places.push('the index')
  }
  return places.sort()
}

const vectorCount = async () => (await new Index({ url: vector.url, token: vector.token }).info()).vectorCount

test('a fact is remembered across threads and Workers, for its person alone, until it is forgotten everywhere', async () => {
  const first = worker()
  expect(await first.say('alex', 'a', 'I deploy my canaryservice on Kubernetes')).toBe('I will remember that.')
  expect(await first.say('alex', 'b', 'Where are my deployments?')).toContain('canaryservice')
  await first.settled()
  const second = worker()
  expect(await second.say('alex', 'c', 'what did I say of deploying?')).toContain('canaryservice')
  expect(await second.say('bob', 'd', 'Where are my deployments?')).toBe('I know nothing.')
  expect(await second.say('bob', 'e', 'canaryservice on Kubernetes?')).toBe('I know nothing.')
  expect(await placesOf('canaryservice')).toEqual(['checkpoints', 'items'])
  expect(await vectorCount()).toBe(1)

  const token = await tokenFor({ tenant: 'acme', sub: 'alex' })
  const headers = { authorization: `Bearer ${token}` }
  const forget = { method: 'POST', headers, body: JSON.stringify({ user: 'alex' }) }
  const forgotten = await (await second.http.request('/memories/forget', forget)).json()
  expect(forgotten).toEqual({ items: 1, threads: 3 })
  await second.settled()
  // Bob's own question has the word in it.
  await database.sql`delete from recollect.checkpoints where thread = 'e'`
  expect(await placesOf('canaryservice')).toEqual([])
  expect(await placesOf('alex')).toEqual([])
  expect(await vectorCount()).toBe(0)
  expect(await worker().say('alex', 'f', 'Where are my deployments?')).toBe('I know nothing.')
  const exported = await second.http.request('/memories/export', { headers })
  expect(await exported.text()).toBe('')
}, 60_000)
