// An index that does not fit is refused, with what to do about it; one that is made anew has all that the store has.
import { expect, test } from 'vitest'
import { neonStore } from '../../src/adapters/neon/index.ts'
import { upstashItemIndex } from '../../src/adapters/upstash/index.ts'
import { reindex } from '../../src/index.ts'
import { RecollectError } from '../../src/kernel/errors.ts'
import { behind, database, embedder, found, put, settle, storeWith, tenant, vector } from './indexed-items.ts'

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
