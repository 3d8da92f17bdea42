// The long-term store over HTTP: the LangGraph wire, whose it is, export and forgetting.
import { Client } from '@langchain/langgraph-sdk'
import { beforeEach, expect, test, vi } from 'vitest'
import { memoryStore } from '../../src/adapters/memory/index.ts'
import { guardedStore } from '../../src/index.ts'
import { RecollectError } from '../../src/kernel/errors.ts'
import type { Store } from '../../src/ports/index.ts'
import { deployment, tokenFor } from './deployment.ts'

let store: Store
let made: ReturnType<typeof deployment>
beforeEach(() => {
  store = memoryStore()
  made = deployment({ store, sharedNamespaces: [['team']] })
})

const own = ['users', 'alex']
const query = (namespace: readonly string[], key: string) =>
  `/store/items?${new URLSearchParams([...namespace.map((segment) => ['namespace', segment]), ['key', key]])}`

async function client(claims = {}) {
  const apiKey = await tokenFor(claims)
  const callerOptions = {
    fetch: (url: string, init: RequestInit) => made.app.request(new URL(url).pathname + new URL(url).search, init),
  }
  return new Client({ apiUrl: 'http://local.test', apiKey, callerOptions: callerOptions as never }).store
}

test('the published client puts, gets, finds, lists and deletes', async () => {
  const items = await client()
  await items.putItem(own, 'tea', { text: 'prefers green tea', cups: 3 })
  await items.putItem(own, 'ops', { text: 'deploys on Kubernetes', cups: 0 }, { index: ['text'], ttl: 60 })
  expect(await items.getItem(own, 'tea')).toMatchObject({
    namespace: own,
    key: 'tea',
    value: { cups: 3 },
    createdAt: expect.any(String),
  })
  expect(await items.getItem(own, 'none')).toBeNull()
  const { items: found } = await items.searchItems(own, { query: 'what tea?', filter: { cups: { $gte: 1 } } })
  expect(found).toMatchObject([{ key: 'tea', score: expect.any(Number) }])
  expect((await items.searchItems(own, { filter: { cups: 0 } })).items).toMatchObject([{ key: 'ops' }])
  expect(await items.listNamespaces()).toEqual({ namespaces: [own] })
  await items.deleteItem(own, 'tea')
  expect(await items.getItem(own, 'tea')).toBeNull()
  expect(await store.get({ tenant: 'acme', namespace: own, key: 'ops' })).toMatchObject({
    ttlMs: 3_600_000,
    source: 'api',
    author: 'alex',
  })
})

test('a person reaches their own namespace and reads what is shared; who operates, all of the tenant', async () => {
  const put = (namespace: string[], text: string) => store.put({ tenant: 'acme', namespace, key: 'k', value: { text } })
  await put(['users', 'bob'], 'canary of bob')
  await put(['users', 'alexa'], 'canary of alexa')
  await put(['team', 'facts'], 'shared')
  const alex = made.as()
  for (const foreign of [
    ['users', 'bob'],
    ['users', 'alexa'],
    ['users'],
    [],
    ['secret'],
    ['Users', 'alex'],
    ['users', 'alex '],
  ]) {
    if (foreign.length > 0) {
      expect((await alex('GET', query(foreign, 'k'))).text).toBe('null')
      const item = { namespace: foreign, key: 'k' }
      expect((await alex('PUT', '/store/items', { ...item, value: {} })).status).toBe(403)
      expect((await alex('DELETE', '/store/items', item)).status).toBe(403)
      expect((await alex('POST', '/memories/forget', { namespace: foreign })).status).toBe(403)
      expect(
        (await alex('GET', `/memories/export?${new URLSearchParams(foreign.map((part) => ['namespace', part]))}`))
          .status,
      ).toBe(403)
    }
    expect((await alex('POST', '/store/items/search', { namespace_prefix: foreign })).status).toBe(403)
  }
  expect((await alex('GET', query(['team', 'facts'], 'k'))).body.value).toEqual({ text: 'shared' })
  expect((await alex('POST', '/store/items/search', { namespace_prefix: ['team'] })).body.items).toHaveLength(1)
  expect((await alex('PUT', '/store/items', { namespace: ['team', 'facts'], key: 'k', value: {} })).status).toBe(403)
  expect((await alex('POST', '/store/namespaces', {})).body).toEqual({ namespaces: [] })
  expect((await alex('POST', '/store/namespaces', { prefix: ['team'] })).body).toEqual({
    namespaces: [['team', 'facts']],
  })
  expect((await alex('POST', '/store/namespaces', { prefix: ['team', '*'] })).body).toEqual({
    namespaces: [['team', 'facts']],
  })
  for (const prefix of [['*'], ['users', '*'], ['*', 'alexa'], ['*', 'facts'], ['users', '*', 'x']])
    expect((await alex('POST', '/store/namespaces', { prefix })).status).toBe(403)
  for (const name of ['*', '.*', 'a'])
    expect((await made.as({ sub: name })('POST', '/store/namespaces', {})).text).not.toMatch(/bob|alexa|team/)
  const operator = made.as({ sub: 'olga', scope: 'operate' })
  expect((await operator('POST', '/store/namespaces', { prefix: ['*', 'alexa'] })).body.namespaces).toHaveLength(1)
  const search = { namespace_prefix: ['users'], query: 'canary' }
  expect((await operator('POST', '/store/items/search', search)).body.items).toHaveLength(2)
  expect((await operator('POST', '/store/namespaces', {})).body.namespaces).toHaveLength(3)
  const elsewhere = made.as({ tenant: 'other', scope: 'operate' })
  expect((await elsewhere('POST', '/store/items/search', { ...search, namespace_prefix: [] })).body.items).toEqual([])
  expect((await elsewhere('GET', query(['users', 'bob'], 'k'))).text).toBe('null')
})

test('what a token may not say of itself is not believed', async () => {
  const alex = made.as()
  const item = { namespace: own, key: 'k', value: { text: 'x' } }
  await alex('PUT', '/store/items', { ...item, source: 'verified', author: 'boss' })
  expect((await alex('GET', query(own, 'k'))).body).toMatchObject({ source: 'api', author: 'alex' })
  for (const surplus of [{ tenant: 'other' }, { user: 'bob' }, { version: 9 }, { id: 'x' }]) {
    expect((await alex('PUT', '/store/items', { ...item, ...surplus })).status).toBe(422)
  }
  await made.as({ sub: 'olga', scope: 'operate' })('PUT', '/store/items', { ...item, source: 'import', author: 'boss' })
  expect((await alex('GET', query(own, 'k'))).body).toMatchObject({ source: 'import', author: 'boss', version: 2 })
})

test.each([
  [{ namespace_prefix: own, filter: { a: { $foo: 1 } } }, /unknown operator/],
  [{ namespace_prefix: own, filter: { a: { b: 1 } } }, /operators such as/],
  [{ namespace_prefix: own, filter: { "a' or 1=1": 1 } }, /field/],
  [{ namespace_prefix: own, where: { op: 'eq', field: 'tenant', value: 'x' } }, /field/],
  [{ namespace_prefix: own, where: { op: 'gt', field: 'created', value: '0000-01-01' } }, /years 1 to 9999/],
  [{ namespace_prefix: own, filter: { a: {} } }, /operators such as/],
  [
    { namespace_prefix: own, filter: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`a${n}`, 1])) },
    /more than 100 conditions/,
  ],
  [{ namespace_prefix: own, limit: 101 }, /limit/],
  [{ namespace_prefix: 'users' }, /namespace_prefix/],
  [{ namespace_prefix: [{ a: 1 }] }, /namespace_prefix/],
])('a search that is none is refused: %j', async (body, message) => {
  const { status, body: problem } = await made.as()('POST', '/store/items/search', body)
  expect([status, problem.code]).toEqual([422, 'input_invalid'])
  expect(problem.detail).toMatch(message)
})

test.each([
  [{ ttl: 0 }, /ttl must be a number of minutes, above 0/],
  [{ ttl: -1 }, /minutes/],
  [{ ttl: 1e300 }, /minutes/],
  [{ ttl: '5' }, /ttl must be a number, not a string/],
  [{ index: 'text' }, /index must be false or an array, not a string/],
  [{ index: [7] }, /index at 0 must be a string/],
])('what is no part of an item is refused: %j', async (part, message) => {
  const item = { namespace: own, key: 'k', value: { text: 'x' }, ...part }
  const { status, body } = await made.as()('PUT', '/store/items', item)
  expect([status, body.code]).toEqual([422, 'input_invalid'])
  expect(body.detail).toMatch(message)
})

test('a question of nothing but space is none, and a namespace is asked for by name', async () => {
  const alex = made.as()
  await alex('PUT', '/store/items', { namespace: own, key: 'k', value: { text: 'x' }, ttl: 0.000_001 * 60 })
  const { body } = await alex('POST', '/store/items/search', { namespace_prefix: own, query: ' \n' })
  expect(body.mode).toBe('list')
  expect((await alex('GET', '/store/items?key=k')).body.detail).toContain(
    'namespace must be a string or an array, not missing',
  )
})

test.each([[['']], [['a\u0007']], [['x'.repeat(10_000)]]])(
  'a namespace that is none is refused (%#)',
  async (namespace) => {
    const { status, body } = await made.as({ scope: 'operate' })('PUT', '/store/items', {
      namespace,
      key: 'k',
      value: {},
    })
    expect([status, body.code]).toEqual([400, 'id_invalid'])
  },
)

test('a value over the limit is refused', async () => {
  const value = { text: 'x'.repeat(70_000) }
  expect((await made.as()('PUT', '/store/items', { namespace: own, key: 'k', value })).body).toMatchObject({
    status: 413,
    code: 'item_too_large',
  })
})

test('an export that cannot begin says so by its status', async () => {
  const away = () => Promise.reject(new RecollectError('storage_unavailable', 'Postgres did not answer.'))
  const { app } = deployment({ store: Object.assign(Object.create(store), { search: away }) })
  const response = await app.request('/memories/export', { headers: { 'x-api-key': await tokenFor() } })
  expect(response.status).toBe(503)
  expect(await response.json()).toMatchObject({ code: 'storage_unavailable' })
})

test('export gives every item once, however many were written at one time', async () => {
  for (const { app, as } of [deployment({ store: memoryStore({ now: () => 1_000 }) }), made]) {
    const alex = as()
    for (let n = 0; n < 250; n++) {
      await alex('PUT', '/store/items', { namespace: [...own, `n${n % 3}`], key: `k${n}`, value: { n } })
    }
    const response = await app.request('/memories/export', { headers: { 'x-api-key': await tokenFor() } })
    expect(response.headers.get('content-type')).toBe('application/x-ndjson')
    const lines = (await response.text()).trim().split('\n')
    const keys = lines.map((line) => JSON.parse(line).key)
    expect(keys).toHaveLength(250)
    expect(new Set(keys).size).toBe(250)
  }
})

test('export has the items that are written again while it is read, once each', async () => {
  const kept = memoryStore()
  const keys = Array.from({ length: 250 }, (_, n) => `k${n}`)
  const putAll = async (n: number) => {
    for (const key of keys) await kept.put({ tenant: 'acme', namespace: own, key, value: { n } })
  }
  await putAll(0)
  let pages = 0
  const search: Store['search'] = async (wanted) => {
    const page = await kept.search(wanted)
    await putAll(++pages)
    return page
  }
  const { app } = deployment({ store: { ...guardedStore(kept, []), search } })
  const response = await app.request('/memories/export', { headers: { 'x-api-key': await tokenFor() } })
  const lines = (await response.text()).trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).key).toSorted()).toEqual(keys.toSorted())
  expect(pages).toBe(3)
})

test('history is for whoever may read the memory', async () => {
  const alex = made.as()
  for (const city of ['Rome', 'Oslo'])
    await alex('PUT', '/store/items', { namespace: own, key: 'home', value: { city } })
  const { id } = (await alex('GET', query(own, 'home'))).body
  const { body } = await alex('GET', `/memories/${id}/history`)
  expect(body).toMatchObject([
    { version: 2, value: { city: 'Oslo' } },
    { version: 1, value: { city: 'Rome' }, author: 'alex' },
  ])
  const foreign = await made.as({ sub: 'bob' })('GET', `/memories/${id}/history`)
  const unknown = await made.as({ sub: 'bob' })('GET', `/memories/${'x'.repeat(24)}/history`)
  expect([foreign.status, unknown.status, foreign.body.code]).toEqual([404, 404, 'item_unknown'])
})

test('forgetting takes one memory, a namespace, a source, or a person with their threads', async () => {
  const [alex, bob, operator] = [made.as(), made.as({ sub: 'bob' }), made.as({ sub: 'olga', scope: 'operate' })]
  const put = (as: typeof alex, namespace: string[], key: string) =>
    as('PUT', '/store/items', { namespace, key, value: { text: 'canary' } })
  for (const key of ['a', 'b']) await put(alex, own, key)
  for (let n = 0; n < 120; n++) await put(alex, [...own, 'deep'], `${n}`)
  await put(bob, ['users', 'bob'], 'a')
  const { id } = (await alex('GET', query(own, 'a'))).body
  expect((await bob('POST', '/memories/forget', { id })).status).toBe(404)
  expect((await alex('POST', '/memories/forget', { id })).body).toEqual({ items: 1, threads: 0 })
  expect((await alex('POST', '/memories/forget', { id })).status).toBe(404)
  expect((await alex('POST', '/memories/forget', { namespace: [...own, 'deep'] })).body).toEqual({
    items: 120,
    threads: 0,
  })
  expect((await alex('POST', '/memories/forget', { source: 'api' })).status).toBe(403)
  expect((await bob('POST', '/memories/forget', { user: 'alex' })).status).toBe(403)
  for (const thread_id of ['t1', 't2']) await alex('POST', '/threads', { thread_id })
  await bob('POST', '/threads', { thread_id: 't3' })
  expect((await alex('POST', '/memories/forget', { user: 'alex' })).body).toEqual({ items: 1, threads: 2 })
  expect((await alex('GET', '/threads/t1')).status).toBe(404)
  expect((await bob('GET', '/threads/t3')).status).toBe(200)
  expect((await operator('POST', '/memories/forget', { source: 'api' })).body).toEqual({ items: 1, threads: 0 })
  for (const body of [{}, { id: 'x', user: 'alex' }, { source: null }, { id: '' }, { source: '' }, { user: '' }]) {
    expect((await alex('POST', '/memories/forget', body)).status).toBe(422)
  }
})

test('what came from a source that is forgotten is in no history either', async () => {
  const operator = made.as({ sub: 'olga', scope: 'operate' })
  const item = { tenant: 'acme', namespace: ['users', 'alex'], key: 'home' }
  const { id } = await store.put({ ...item, value: { text: 'Lives in Oslo' }, source: 'thread:monday' })
  await store.put({ ...item, value: { text: 'Lives in Bergen' }, source: 'thread:tuesday' })
  expect((await operator('POST', '/memories/forget', { source: 'thread:monday' })).status).toBe(200)
  const { body } = await operator('GET', `/memories/${id}/history`)
  expect(JSON.stringify(body)).toContain('Bergen')
  expect(JSON.stringify(body)).not.toContain('Oslo')
})

test('who forgets beside another who is a step ahead, and stops there, is answered when nothing is left', async () => {
  const alex = made.as()
  for (let n = 0; n < 250; n++)
    await store.put({ tenant: 'acme', namespace: own, key: `${n}`, value: { text: 'canary' } })
  for (let n = 0; n < 120; n++) await alex('POST', '/threads', { thread_id: `t${n}` })
  const { threads } = made.checkpointer
  const [batch, deletes] = [store.batch.bind(store), threads.delete.bind(threads)]
  vi.spyOn(store, 'batch').mockImplementation((given) => batch(given).then(() => batch(given)))
  vi.spyOn(threads, 'delete').mockImplementation((key) => deletes(key).then(() => deletes(key)))
  expect((await alex('POST', '/memories/forget', { user: 'alex' })).status).toBe(200)
  expect((await store.search({ tenant: 'acme', prefix: own })).items).toEqual([])
  expect((await alex('POST', '/threads/search', {})).body).toEqual([])
})

test('a deployment without a store says so', async () => {
  const { body } = await deployment().as()('POST', '/store/items/search', { namespace_prefix: own })
  expect(body).toMatchObject({ status: 422, code: 'feature_unsupported' })
})
