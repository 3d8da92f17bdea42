// A store behind an index: what is lost on the way to the index is repaired, what the truth no longer has is never found, and what is
// away is said to be.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { indexKindOf } from '../../local/vector/index-kind.ts'
import { type ThrowawayVector, throwawayVector } from '../../local/vector/throwaway-vector.ts'
import { neonStore } from '../../src/adapters/neon/index.ts'
import { upstashItemIndex } from '../../src/adapters/upstash/index.ts'
import { indexedStore, reindex, sweep } from '../../src/index.ts'
import { RecollectError } from '../../src/kernel/errors.ts'
import type { Embedder, ItemPut, Store } from '../../src/ports/index.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'

let database: NeonDatabase
let vector: ThrowawayVector
let statements: string[]
let calls: string[]
let tenants = 0
let tenant: string

beforeAll(async () => {
  database = await pgliteDatabase()
  vector = await throwawayVector({ kind: indexKindOf('hybrid/3') })
})
afterAll(async () => {
  await vector?.stop()
  await database?.close()
})
beforeEach(async () => {
  Object.assign(vector.standIn.knobs, { fault: 'none', latencyMs: 0, consistencyDelayMs: 0 })
  tenant = `tenant-${++tenants}`
  ;[statements, calls] = [[], []]
  await database.sql`delete from recollect.index_meta`
})

/** Drinks and deploys point in different directions, whatever the words. */
const embedder: Embedder = {
  model: 'tiny',
  dimensions: 3,
  embed: async (texts) =>
    texts.map((text) => [/tea|drink|beverage/.test(text) ? 1 : 0, /deploy|kubernetes|ship/i.test(text) ? 1 : 0, 0.1]),
}

function storeWith(options: { embedder?: Embedder; patienceMs?: number; timeoutMs?: number } = {}) {
  const sql = {
    query: (text: string, ...rest: [unknown[]?, object?]) => {
      statements.push(text)
      return database.sql.query(text, ...rest)
    },
  }
  const used = options.embedder ?? embedder
  const index = upstashItemIndex({
    url: vector.url,
    token: vector.token,
    kind: 'hybrid',
    embedder: used,
    // Longer than a slow machine takes: who needs an index that is given up says so.
    timeoutMs: options.timeoutMs ?? 30_000,
  })
  const spied = {
    ...index,
    query: (...given: Parameters<typeof index.query>) => {
      calls.push('query')
      return index.query(...given)
    },
  }
  const items = neonStore(sql, { indexed: true })
  return indexedStore({
    items,
    index: spied,
    embedder: used,
    ...(options.patienceMs && { patienceMs: options.patienceMs }),
  })
}

/** Puts, and waits for the index to have been told. */
async function put(store: Store, key: string, text: string, more: Partial<ItemPut> = {}) {
  const told: Promise<unknown>[] = []
  const defer = (work: Promise<unknown>) => void told.push(work)
  const outcome = await store.put({ tenant, namespace: ['users', 'alex'], key, value: { text }, defer, ...more })
  await Promise.all(told)
  return outcome
}

/** What the cron does later: as if the pauses were over. */
async function settle(store: Store) {
  for (let time = 0; time < 3; time++) {
    await database.sql`update recollect.outbox set due_at = now() - interval '1 second'`
    await sweep({ checkpointer: database.checkpointer, graphs: {}, store })
  }
}

const found = async (store: Store, query: string, prefix: string[] = ['users', 'alex']) => {
  const { items, ...how } = await store.search({ tenant, prefix, query })
  return { keys: items.map(({ key }) => key), ...how }
}
const behind = async () =>
  (await database.sql`select id from recollect.items where tenant = ${tenant} and settled_version < version`).length
const messages = async () => (await database.sql`select id from recollect.outbox where tenant = ${tenant}`).length

test('what means alike is found in other words, with one call of the index and one statement', async () => {
  const store = storeWith()
  await put(store, 'tea', 'Prefers green tea')
  await put(store, 'ops', 'Everything runs on Kubernetes')
  await settle(store)
  expect([await behind(), await messages()]).toEqual([0, 0])
  ;[statements, calls] = [[], []]
  expect(await found(store, 'favourite beverage')).toMatchObject({
    keys: ['tea', 'ops'],
    mode: 'hybrid',
    degraded: null,
  })
  expect([statements.length, calls.length]).toEqual([1, 1])
})

test('what was written just now is found before the index shows it, and after', async () => {
  vector.standIn.knobs.consistencyDelayMs = 60_000
  const store = storeWith()
  await put(store, 'old', 'An older note on drinks')
  await put(store, 'tea', 'Prefers green tea')
  expect((await found(store, 'tea')).keys[0]).toBe('tea')
  expect((await found(store, 'beverage')).keys).toContain('tea')
  vector.standIn.knobs.consistencyDelayMs = 0
})

test('a write that the index did not take is found by its words, and told again by the sweep', async () => {
  const store = storeWith()
  await put(store, 'first', 'Deploys from Rome')
  vector.standIn.knobs.fault = 'error'
  await put(store, 'tea', 'Prefers green tea')
  expect(await found(store, 'tea')).toMatchObject({
    keys: ['tea'],
    mode: 'text',
    degraded: expect.stringContaining('index'),
  })
  vector.standIn.knobs.fault = 'none'
  expect((await found(store, 'tea')).keys[0]).toBe('tea')
  expect(await behind()).toBe(2)
  await settle(store)
  expect([await behind(), await messages()]).toEqual([0, 0])
  expect((await found(store, 'beverage')).keys[0]).toBe('tea')
})

test('an index that hangs is given up, and reads and writes go on', async () => {
  await put(storeWith(), 'tea', 'Prefers green tea')
  const store = storeWith({ timeoutMs: 500 })
  vector.standIn.knobs.fault = 'hang'
  const begun = performance.now()
  expect(await found(store, 'tea')).toMatchObject({ keys: ['tea'], mode: 'text' })
  expect(performance.now() - begun).toBeLessThan(5_000)
  expect(await store.get({ tenant, namespace: ['users', 'alex'], key: 'tea' })).toBeDefined()
  expect((await store.search({ tenant, prefix: ['users'] })).degraded).toBeNull()
  expect(await store.put({ tenant, namespace: ['a'], key: 'k', value: {} })).toMatchObject({ outcome: 'saved' })
})

test('what is written may take longer than what is asked', async () => {
  const { url, token } = vector
  const index = upstashItemIndex({ url, token, kind: 'hybrid', embedder, timeoutMs: 1_000 })
  const store = storeWith()
  await put(store, 'k', 'prefers tea')
  const [item] = (await store.search({ tenant, prefix: [] })).items
  if (item === undefined) throw new Error('There is no item.')
  vector.standIn.knobs.latencyMs = 1_500
  const place = { tenant, space: 'slow' }
  await index.upsert(place, [{ item, nearby: {}, vector: [1, 0, 0] }])
  const asked = index.query(place, { text: 'tea', vector: [1, 0, 0], prefix: [], filter: undefined, limit: 1 })
  await expect(asked).rejects.toMatchObject({ code: 'storage_unavailable' })
})

test('what a model or an index is asked has no half of a character and no NUL: services refuse such', async () => {
  const asked: string[] = []
  const embed: Embedder['embed'] = (texts) => {
    asked.push(...texts)
    return embedder.embed(texts)
  }
  const store = storeWith({ embedder: { ...embedder, embed } })
  await put(store, 'tea', 'Prefers green tea')
  expect(await found(store, 'a drink \ud83c\u0000')).toMatchObject({ keys: ['tea'], degraded: null })
  expect(asked.at(-1)).toBe('a drink \ufffd\ufffd')
})

test('without its embedder a search goes by words, and says so', async () => {
  const store = storeWith()
  await put(store, 'tea', 'Prefers green tea')
  await settle(store)
  const failing = { ...embedder, embed: () => Promise.reject(new RecollectError('model_failed', 'away')) }
  expect(await found(storeWith({ embedder: failing }), 'green tea')).toMatchObject({
    ...{ keys: ['tea'], mode: 'sparse', degraded: expect.stringContaining('embedding') },
  })
  const slow = {
    ...embedder,
    embed: (_: readonly string[], { signal }: { signal?: AbortSignal } = {}) =>
      new Promise<never>((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
  }
  expect(await found(storeWith({ embedder: slow, patienceMs: 50 }), 'green tea')).toMatchObject({
    keys: ['tea'],
    mode: 'sparse',
  })
})

test('what was deleted, has expired or belongs to another is never found, whatever the index still has', async () => {
  const store = storeWith()
  await put(store, 'tea', 'canary tea')
  await put(store, 'gone', 'canary tea gone', { ttlMs: 1 })
  await put(store, 'bob', 'canary tea of bob', { namespace: ['users', 'bob'] })
  await settle(store)
  vector.standIn.knobs.fault = 'error'
  await store.delete({ tenant, namespace: ['users', 'alex'], key: 'tea' })
  vector.standIn.knobs.fault = 'none'
  expect((await found(store, 'canary tea')).keys).toEqual([])
  expect((await found(store, 'canary tea', ['users'])).keys).toEqual(['bob'])
  await settle(store)
  expect((await infoOf()).vectorCount).toBe(1)
})

test('a batch of 100 deletions is three requests to what stores and finds, and leaves nothing in the index', async () => {
  const store = storeWith()
  const namespace = ['users', 'alex']
  const keys = Array.from({ length: 100 }, (_, place) => `k${place}`)
  await Promise.all(keys.map((key) => put(store, key, `fact ${key}`)))
  const before = (await infoOf()).vectorCount
  statements.length = 0
  const told: Promise<unknown>[] = []
  const operations = keys.map((key) => ({ op: 'delete', namespace, key }) as const)
  await store.batch({ tenant, operations, defer: (work) => void told.push(work) })
  await Promise.all(told)
  expect(statements).toHaveLength(2)
  expect(before - (await infoOf()).vectorCount).toBe(100)
})

test('an item that changes is found as it is, not as the index had it', async () => {
  const store = storeWith()
  await put(store, 'k', 'Prefers green tea')
  await settle(store)
  vector.standIn.knobs.fault = 'error'
  await put(store, 'k', 'Deploys on Kubernetes')
  vector.standIn.knobs.fault = 'none'
  const { items } = await store.search({ tenant, prefix: ['users', 'alex'], query: 'kubernetes' })
  expect(items).toMatchObject([{ version: 2, text: 'Deploys on Kubernetes' }])
  // What it said before is no reason to find it: it is found last, as what the index is behind with.
  const before = await store.search({ tenant, prefix: ['users', 'alex'], query: 'tea' })
  expect(before.items).toMatchObject([{ version: 2, score: null }])
  await settle(store)
  expect((await found(store, 'ship')).keys).toEqual(['k'])
})

test('a filter and a narrow prefix leave nothing out that meets them', async () => {
  const store = storeWith()
  for (let n = 0; n < 60; n++) {
    await store.put({
      tenant,
      namespace: ['users', `u${n}`],
      key: 'tea',
      value: { text: `tea number ${n}`, n },
      author: `u${n}`,
    })
  }
  await settle(store)
  const search = (filter: ItemFilter, prefix = ['users']) =>
    store.search({ tenant, prefix, query: 'tea', filter, limit: 3 })
  expect((await search({ op: 'gte', field: 'value.n', value: 57 })).items).toHaveLength(3)
  expect((await search({ op: 'eq', field: 'author', value: 'u31' })).items).toMatchObject([{ author: 'u31' }])
  expect((await found(store, 'tea', ['users', 'u44'])).keys).toEqual(['tea'])
  expect((await store.search({ tenant, prefix: [], query: 'tea', limit: 100 })).items).toHaveLength(60)
}, 60_000)

test('another model than the index was made with is refused, by name, with what to do; writes are kept', async () => {
  await put(storeWith(), 'tea', 'Prefers tea')
  const other = storeWith({ embedder: { ...embedder, model: 'huge', dimensions: 7 } })
  const refused = {
    code: 'index_mismatch',
    message: expect.stringMatching(/"tiny" with 3.*"huge" with 7.*npm run reindex.*in code reindex\(/),
  }
  await expect(other.search({ tenant, prefix: ['users'], query: 'tea' })).rejects.toMatchObject(refused)
  await put(other, 'late', 'Prefers late tea')
  expect(await other.get({ tenant, namespace: ['users', 'alex'], key: 'late' })).toBeDefined()
  const wrong = upstashItemIndex({
    url: vector.url,
    token: vector.token,
    kind: 'hybrid',
    embedder: { model: 'tiny', dimensions: 3 },
  })
  const query = wrong.query(
    { tenant, space: 's' },
    { text: 'tea', vector: [1, 2], prefix: ['a'], filter: undefined, limit: 1 },
  )
  await expect(query).rejects.toMatchObject({
    code: 'index_mismatch',
    message: expect.stringContaining('npm run reindex'),
  })
})

test('an index of another kind, and one that refuses the token, say so', async () => {
  const at = { tenant, space: 's' }
  const question = { text: 'tea', prefix: ['a'], filter: undefined, limit: 1 }
  const dense = upstashItemIndex({ url: vector.url, token: vector.token, kind: 'dense', embedder })
  const items = neonStore(database.sql)
  const address = { tenant, namespace: ['users', 'alex'], key: 'tea' }
  await items.put({ ...address, value: { text: 'tea' } })
  const item = await items.get(address)
  if (item === undefined) throw new Error('it was put')
  const entry = { item, nearby: {}, vector: [1, 2, 3] }
  await expect(dense.upsert(at, [entry])).rejects.toMatchObject({
    code: 'index_mismatch',
    message: expect.stringMatching(/set up as "dense".*npm run reindex/),
  })
  const unknown = upstashItemIndex({ url: vector.url, token: 'x', kind: 'sparse' })
  await expect(unknown.query(at, question)).rejects.toMatchObject({
    code: 'storage_unavailable',
    message: 'Upstash Vector refused the token.',
  })
})

test('a reindex that cannot be done changes nothing', async () => {
  await put(storeWith(), 'tea', 'Prefers tea')
  const items = neonStore(database.sql, { indexed: true })
  const embedders = [
    {
      ...embedder,
      model: 'misspelt',
      embed: () => Promise.reject(new RecollectError('model_refused', 'no such model')),
    },
    { ...embedder, dimensions: 2, embed: async (texts: readonly string[]) => texts.map(() => [1, 2]) },
  ]
  for (const wrong of embedders) {
    const index = upstashItemIndex({ url: vector.url, token: vector.token, kind: 'hybrid', embedder: wrong })
    await expect(reindex({ items, index, embedder: wrong })).rejects.toMatchObject({
      code: expect.stringMatching(/^(model_refused|index_mismatch)$/),
    })
  }
  expect((await found(storeWith(), 'tea', ['users'])).keys).toEqual(['tea'])
})

test('an index is made anew for another model, from where it was stopped', async () => {
  const store = storeWith()
  for (let n = 0; n < 7; n++) await put(store, `k${n}`, `tea number ${n}`)
  await settle(store)
  const other = { ...embedder, model: 'other' }
  const items = neonStore(database.sql, { indexed: true })
  let upserts = 0
  const index = upstashItemIndex({ url: vector.url, token: vector.token, kind: 'hybrid', embedder: other })
  const breaking = {
    ...index,
    upsert: (...given: Parameters<typeof index.upsert>) => {
      if (++upserts === 3) throw new RecollectError('storage_unavailable', 'cut off')
      return index.upsert(...given)
    },
  }
  const told: number[] = []
  const onProgress = ({ done }: { done: number }) => void told.push(done)
  await database.sql`delete from recollect.items where tenant <> ${tenant}`
  await expect(reindex({ items, index: breaking, embedder: other, page: 2, onProgress })).rejects.toThrow('cut off')
  expect(await behind()).toBe(3)
  const halfway = storeWith({ embedder: other })
  expect((await found(halfway, 'tea')).keys).toHaveLength(7)
  expect(await reindex({ items, index: breaking, embedder: other, page: 2, onProgress })).toBe(3)
  expect(told).toEqual([2, 4, 2, 3])
  expect(await behind()).toBe(0)
  expect(await reindex({ items, index, embedder: other })).toBe(0)
  expect(await reindex({ items, index, embedder: other, anew: true })).toBe(7)
  expect((await found(halfway, 'beverage')).keys).toHaveLength(7)
})

test('what was deleted and put anew while an index is made stays behind: it is another item, of the same version', async () => {
  const items = neonStore(database.sql, { indexed: true })
  const at = { tenant, namespace: ['users', 'alex'], key: 'tea' }
  await items.put({ ...at, value: { text: 'Prefers green tea' } })
  const { items: some } = await items.behind(100)
  const mine = some.filter((each) => each.tenant === tenant)
  expect(mine).toMatchObject([{ item: { version: 1 } }])
  await items.delete(at)
  await new Promise((resolve) => setTimeout(resolve, 2))
  await items.put({ ...at, value: { text: 'Prefers coffee' } })
  await items.settledAll(mine)
  expect(await behind()).toBe(1)
  await items.settledAll((await items.behind(100)).items)
  expect(await behind()).toBe(0)
})

test('200 hostile names reach the index as hashes alone', async () => {
  const seen: string[] = []
  const fetched = globalThis.fetch
  globalThis.fetch = async (url, init) => {
    seen.push(`${new URL(String(url)).pathname} ${String(init?.body)}`)
    return Response.json({ result: [] })
  }
  try {
    const index = upstashItemIndex({ url: 'https://vector.test', token: 't', kind: 'sparse' })
    const parts = [
      '../reset?all',
      'x/../tenant-a',
      '..',
      '%2e%2e/reset',
      '?all',
      '#',
      "' OR 1=1",
      '"',
      '\\',
      '*',
      'a b',
      '😀',
      '\u2028',
      '{}',
      'HAS FIELD x',
    ]
    for (let n = 0; n < 200; n++) {
      const name = `${parts[n % parts.length]}${parts[(n * 7) % parts.length]}`
      const filter = {
        op: 'and',
        filters: [
          { op: 'eq', field: 'author', value: name },
          { op: 'in', field: 'source', value: [name, 'b'] },
          { op: 'contains', field: 'tags', value: name },
          { op: 'not', filter: { op: 'eq', field: 'key', value: name } },
        ],
      } as const
      await index.query({ tenant: name, space: name }, { text: 'q', prefix: [name, name], filter, limit: 1 })
      await index.delete({ tenant: name, space: name }, ['x'.repeat(24)])
    }
  } finally {
    globalThis.fetch = fetched
  }
  expect(seen).toHaveLength(400)
  const hash = '[\\w-]{24}'
  const filter = `p2 = '${hash}' AND \\(f_author = '${hash}' AND \\(f_source = '${hash}' OR f_source = '${hash}'\\) AND f_tags CONTAINS '${hash}'\\)`
  const asked = new RegExp(
    `^/query/recollect-${hash} \\{"sparseVector":\\{[^{}]+\\},"weightingStrategy":"IDF","topK":1,"filter":"${filter}"\\}$`,
  )
  const deleted = new RegExp(`^/delete/recollect-${hash} `)
  for (const [index, line] of seen.entries()) expect(line).toMatch(index % 2 === 0 ? asked : deleted)
})

type ItemFilter = NonNullable<Parameters<Store['search']>[0]['filter']>

async function infoOf(): Promise<{ vectorCount: number }> {
  const headers = { authorization: `Bearer ${vector.token}` }
  const spaces = (await (await fetch(`${vector.url}/info`, { method: 'POST', headers, body: '[]' })).json()) as {
    result: { namespaces: Record<string, { vectorCount: number }> }
  }
  const { hashOf } = await import('../../src/kernel/hash.ts')
  return spaces.result.namespaces[`recollect-${hashOf(tenant, hashOf('users'))}`] ?? { vectorCount: -1 }
}
