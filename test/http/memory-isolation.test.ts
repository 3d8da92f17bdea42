// Ten people in each of ten tenants, each with a canary that nobody else has: no route and no tool of the store shows another's.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { indexKindOf } from '../../local/vector/index-kind.ts'
import { type ThrowawayVector, throwawayVector } from '../../local/vector/throwaway-vector.ts'
import { memoryCheckpointer, memoryStore } from '../../src/adapters/memory/index.ts'
import { neonStore } from '../../src/adapters/neon/index.ts'
import { upstashItemIndex } from '../../src/adapters/upstash/index.ts'
import { agent, forgetTool, indexedStore, recallTool, reindex, rememberTool } from '../../src/index.ts'
import { itemId } from '../../src/kernel/item.ts'
import type { Store } from '../../src/ports/index.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'
import { deployment, said } from './deployment.ts'

let database: NeonDatabase
let vector: ThrowawayVector
beforeAll(async () => {
  database = await pgliteDatabase()
  vector = await throwawayVector({ kind: indexKindOf('sparse'), embeds: false })
})
afterAll(async () => {
  await vector?.stop()
  await database?.close()
})

const numbers = Array.from({ length: 10 }, (_, n) => n)
const all = numbers.flatMap((t) => numbers.map((u) => ({ tenant: `t${t}`, sub: `u${u}`, canary: `canary${t}x${u}x` })))
const words = 'a note on pricing and canaries'

/** Asks for the tool that it is told to, by name and arguments, and then says what that gave. */
const model = scriptedModel((conversation) => {
  const last = conversation.at(-1)
  if (last?.role === 'tool') return last.content
  const { name, ...given } = JSON.parse(last?.content ?? '{}') as { name: string }
  return { calls: [{ name, arguments: given }] }
})

/** Deployed with tools that remember. */
function deployed(store: Store) {
  const checkpointer = memoryCheckpointer()
  const graph = agent({ tools: [rememberTool(), recallTool(), forgetTool()] })
  const memory = graph.compile({ checkpointer, store, model, name: 'memory' })
  return deployment({ checkpointer, store, graphs: { memory } })
}

async function indexed() {
  const index = upstashItemIndex({ url: vector.url, token: vector.token, kind: 'sparse', timeoutMs: 30_000 })
  const items = neonStore(database.sql, { indexed: true })
  return { store: indexedStore({ items, index }), settle: () => reindex({ items, index }) }
}

const inMemory = async () => ({ store: memoryStore(), settle: async () => 0 })

/** The canaries in a text that are not one's own. */
function foreignIn(text: string, own: string): string[] {
  return (text.match(/canary\d+x\d+x/g) ?? []).filter((canary) => canary !== own)
}

test.each([
  ['in memory', inMemory, 1],
  ['in Postgres, behind an index; every fourth of them asks', indexed, 4],
])(
  'of a hundred people nobody is shown what is of another, by any route or tool (%s)',
  async (_, make, every) => {
    const { store, settle } = await make()
    const { as } = deployed(store)
    for (const { tenant, sub, canary } of all) {
      const put = { namespace: ['users', sub], key: 'note', value: { text: `${words} ${canary}` } }
      expect((await as({ tenant, sub })('PUT', '/store/items', put)).status).toBe(204)
    }
    await settle()
    let asked = 0
    const foreign: string[] = []
    for (const [place, { tenant, sub, canary }] of all.entries()) {
      if (place % every !== 0) continue
      const person = as({ tenant, sub })
      // Of the same tenant, of the same name elsewhere, and of neither.
      const others = [all[((place + 1) % 10) + place - (place % 10)], all[(place + 10) % 100], all[(place + 37) % 100]]
      const answers: { readonly status: number; readonly text: string }[] = []
      for (const route of routesOf(sub, words)) answers.push(await person(...route))
      for (const other of others) {
        for (const route of routesOf(other?.sub ?? '', other?.canary ?? '')) answers.push(await person(...route))
      }
      const tools = [{ name: 'recall', query: `${words} ${others.map((other) => other?.canary).join(' ')}` }]
      for (const call of [...tools, { name: 'remember', text: `${words} ${canary}` }]) {
        const body = { assistant_id: 'memory', input: said(JSON.stringify(call)), if_not_exists: 'create' }
        const { status, body: state } = await person('POST', `/threads/${sub}-${call.name}/runs/wait`, body)
        const [, , result, answer] = state.messages as { content: string }[]
        answers.push({ status, text: `${result?.content} ${answer?.content}` })
      }
      asked += answers.length
      for (const { text } of answers) foreign.push(...foreignIn(text, canary))
      const own = answers.filter(({ status, text }) => status === 200 && text.includes(canary))
      if (own.length < 4) expect.unreachable(`${tenant}/${sub} does not find what is theirs`)
    }
    expect(asked).toBe((all.length / every) * (10 * 4 + 2))
    expect(foreign).toEqual([])
  },
  240_000,
)

test('another is not changed and not forgotten, by id or by name', async () => {
  const { store } = await inMemory()
  const { as } = deployed(store)
  for (const { tenant, sub, canary } of all) {
    await store.put({ tenant, namespace: ['users', sub], key: 'note', value: { text: canary } })
  }
  const victim = itemId(['users', 'u1'], 'note')
  const strangers = [
    { tenant: 't1', sub: 'u2' },
    { tenant: 't2', sub: 'u1' },
    { tenant: 't2', sub: 'x', scope: 'operate' },
  ]
  for (const stranger of strangers) {
    const ask = as(stranger)
    await ask('PUT', '/store/items', { namespace: ['users', 'u1'], key: 'note', value: { text: 'overwritten' } })
    await ask('DELETE', '/store/items', { namespace: ['users', 'u1'], key: 'note' })
    for (const what of [{ id: victim }, { user: 'u1' }, { namespace: ['users', 'u1'] }]) {
      await ask('POST', '/memories/forget', what)
    }
    if ('scope' in stranger) continue
    const call = said(JSON.stringify({ name: 'forget', id: victim }))
    await ask('POST', '/threads/forget/runs/wait', { assistant_id: 'memory', input: call, if_not_exists: 'create' })
  }
  const { items } = await store.search({ tenant: 't1', prefix: [], limit: 100 })
  expect(items.filter(({ namespace }) => namespace[1] === 'u1')).toMatchObject([{ version: 1, text: 'canary1x1x' }])
  expect(items).toHaveLength(10)
  const everywhere = await Promise.all(numbers.map((t) => store.search({ tenant: `t${t}`, prefix: [], limit: 100 })))
  // u1 of t2 changed, deleted or forgot what is theirs; that is all there is to see of it.
  expect(everywhere.map((page) => page.items.length)).toEqual([10, 10, 9, 10, 10, 10, 10, 10, 10, 10])
})

type Route = readonly [method: string, path: string, body?: unknown]

/** Everything that reads, asked for what is of `sub` and for `query`. */
function routesOf(sub: string, query: string): Route[] {
  const at = new URLSearchParams([
    ['namespace', 'users'],
    ['namespace', sub],
  ])
  const prefix = ['users', sub]
  return [
    ['GET', `/store/items?${at}&key=note`],
    ['POST', '/store/items/search', { namespace_prefix: prefix, query }],
    ['POST', '/store/items/search', { namespace_prefix: prefix }],
    ['POST', '/store/items/search', { namespace_prefix: ['users'], query }],
    ['POST', '/store/items/search', { namespace_prefix: [], query }],
    ['POST', '/store/namespaces', { prefix: ['users'] }],
    ['POST', '/store/namespaces', { prefix: ['users', '*'] }],
    ['GET', `/memories/${itemId(prefix, 'note')}/history`],
    ['GET', '/memories/export'],
    ['GET', `/memories/export?${at}`],
  ]
}
