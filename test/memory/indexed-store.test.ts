// A store behind an index: what is lost on the way is repaired, what is no longer true is never found, and what is away is said to be.
import { expect, test } from 'vitest'
import { upstashItemIndex } from '../../src/adapters/upstash/index.ts'
import { RecollectError } from '../../src/kernel/errors.ts'
import type { Embedder, Store } from '../../src/ports/index.ts'
import {
  behind,
  calls,
  embedder,
  found,
  messages,
  put,
  settle,
  statements,
  storeWith,
  tenant,
  vector,
} from './indexed-items.ts'

test('what means alike is found in other words, with one call of the index and one statement', async () => {
  const store = storeWith()
  await put(store, 'tea', 'Prefers green tea')
  await put(store, 'ops', 'Everything runs on Kubernetes')
  await settle(store)
  expect([await behind(), await messages()]).toEqual([0, 0])
  statements.length = 0
  calls.length = 0
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

type ItemFilter = NonNullable<Parameters<Store['search']>[0]['filter']>

async function infoOf(): Promise<{ vectorCount: number }> {
  const headers = { authorization: `Bearer ${vector.token}` }
  const spaces = (await (await fetch(`${vector.url}/info`, { method: 'POST', headers, body: '[]' })).json()) as {
    result: { namespaces: Record<string, { vectorCount: number }> }
  }
  const { hashOf } = await import('../../src/kernel/hash.ts')
  return spaces.result.namespaces[`recollect-${hashOf(tenant, hashOf('users'))}`] ?? { vectorCount: -1 }
}
