// Telling an index what has become of items, by several Workers at once: whatever comes late, the index ends with what the truth has.
import { expect, test } from 'vitest'
import { itemId, spaceOf } from '../../src/kernel/item.ts'
import { indexedStore } from '../../src/memory/indexed-store.ts'
import { Indexing } from '../../src/memory/indexing.ts'
import { reindex } from '../../src/memory/reindex.ts'
import type { Embedder, IndexEntry, IndexedItems, ItemIndex } from '../../src/ports/index.ts'

const at = { tenant: 'acme', namespace: ['users', 'alex'], key: 'tea' }
const [id, space] = [itemId(at.namespace, at.key), spaceOf(at.namespace)]

/** One item, or none; told as Postgres has it. */
function truth() {
  let item: IndexEntry['item'] | undefined
  const put = (text: string) => {
    const said = { value: { text }, text, tags: [], source: null, author: null, version: 1 }
    const times = { createdAt: text, updatedAt: text, expiresAt: null, ttlMs: null }
    item = { namespace: at.namespace, key: at.key, id, ...said, ...times }
  }
  const items = {
    indexSetup: async (setup) => setup,
    toIndex: async () => item && { item, nearby: {}, told: false },
    indexed: async (_, told) => told === item,
    find: async () => (item === undefined ? [] : [item]),
  } satisfies Partial<IndexedItems> as Partial<IndexedItems> as IndexedItems
  return { items, put, remove: () => (item = undefined) }
}

function index() {
  const texts = new Map<string, string>()
  const made: ItemIndex = {
    setup: { kind: 'sparse', embedder: '', dimensions: 0 },
    upsert: async (_, entries) => {
      for (const { item } of entries) texts.set(item.id, item.text)
    },
    delete: async (_, ids) => {
      for (const gone of ids) texts.delete(gone)
    },
    query: async () => ({ ids: [], scores: [] }),
  }
  return { made, texts }
}

test('a deletion that reaches the index late does not take out what was put again', async () => {
  const { items, put, remove } = truth()
  const { made, texts } = index()
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const late: ItemIndex = {
    ...made,
    delete: async (...given) => {
      reached.resolve()
      await opened.promise
      await made.delete(...given)
    },
  }
  remove()
  const deleting = new Indexing(items, late, undefined).tell(at.tenant, id, space)
  await reached.promise
  put('again')
  expect(await new Indexing(items, made, undefined).tell(at.tenant, id, space)).toBe(true)
  opened.resolve()
  expect(await deleting).toBe(true)
  expect([...texts.values()]).toEqual(['again'])
})

test('of many that are gone the index is told at once, and of one that was put again meanwhile anew', async () => {
  const { items, put, remove } = truth()
  const { made, texts } = index()
  remove()
  const asked: string[] = []
  const ids = [id, ...Array.from({ length: 99 }, (_, place) => itemId(['users', 'alex'], `${place}`))]
  const late: ItemIndex = {
    ...made,
    delete: async (place, gone) => {
      put('again')
      await new Indexing(items, made, undefined).tell(at.tenant, id, space)
      await made.delete(place, gone)
      asked.push(`delete ${gone.length}`)
    },
  }
  const counted: IndexedItems = {
    ...items,
    find: async (search) => {
      asked.push(`find ${search.ids.length}`)
      return items.find(search)
    },
  }
  await new Indexing(counted, late, undefined).tellGone(at.tenant, space, ids)
  expect(asked).toEqual(['delete 100', 'find 100'])
  expect([...texts.values()]).toEqual(['again'])
})

test('a Worker request that was given up while it asked how the index was made holds up no other', async () => {
  const { items } = truth()
  let asked = 0
  const setups = { ...items, indexSetup: (...given: Parameters<typeof items.indexSetup>) => ask(...given) }
  const ask: typeof items.indexSetup = (setup) => (asked++ === 0 ? new Promise(() => {}) : Promise.resolve(setup))
  const indexing = new Indexing(setups, index().made, undefined)
  void indexing.checked()
  await indexing.checked()
  await indexing.checked()
  expect(asked).toBe(2)
})

test('an index that names a model is refused without its embedder: searches would go by words, and say that they did not', async () => {
  const { items } = truth()
  const setup = { kind: 'dense', embedder: 'tiny', dimensions: 3 } as const
  const dense = { ...index().made, setup }
  const huge: Embedder = { model: 'huge', dimensions: 3, embed: async () => [] }
  const refused = (message: RegExp) =>
    expect.objectContaining({ code: 'index_mismatch', message: expect.stringMatching(message) })
  const none = refused(/"tiny" with 3 dimensions.*no embedder/)
  const another = refused(/"tiny" with 3 dimensions.*"huge" with 3 dimensions/)
  expect(() => indexedStore({ items, index: dense })).toThrow(none)
  expect(() => indexedStore({ items, index: dense, embedder: huge })).toThrow(another)
  expect(() => indexedStore({ items, index: dense, embedder: { ...huge, model: 'tiny', dimensions: 4 } })).toThrow(
    refused(/"tiny" with 4 dimensions/),
  )
  await expect(reindex({ items, index: dense })).rejects.toEqual(none)
  await expect(reindex({ items, index: dense, embedder: huge })).rejects.toEqual(another)
})
