// A store whose items are found by what they mean: the truth in one place, an index of it in another.
import { isRecollectError } from '../kernel/errors.ts'
import { itemId, spaceOf } from '../kernel/item.ts'
import { wholeSearch } from '../kernel/listing.ts'
import type { Namespace } from '../kernel/namespace.ts'
import type { Embedder } from '../ports/embedder.ts'
import type { IndexedItems, IndexHits, ItemIndex } from '../ports/item-index.ts'
import type { Effects, ItemPage, ItemSearch, Store } from '../ports/store.ts'
import { assertEmbedder, Indexing, vectorsOf } from './indexing.ts'

export interface IndexedStoreOptions {
  /** The truth. */
  readonly items: IndexedItems
  /** Beside it, such as `upstashItemIndex(…)`. */
  readonly index: ItemIndex
  /** Of the texts that the index does not embed itself: the one that `index` names, where it names one. */
  readonly embedder?: Embedder
  /** How long a search waits for the embedder before it goes by words alone, in milliseconds. 2,000 unless told otherwise. */
  readonly patienceMs?: number
}

/**
 * What is put is durable before it is said to be saved, and found from then on. The index hears of it right after the answer, and again
 * through the outbox until it has. A search asks the index once, and the truth once, which decides; without the index or the embedder
 * it goes by words, and says so in `degraded`. It throws `index_mismatch` when the index was made as another, as this does for an
 * embedder that is not the one that the index names.
 */
export function indexedStore(options: IndexedStoreOptions): Store {
  const { items, index, embedder } = options
  assertEmbedder(index, embedder)
  const indexing = new Indexing(items, index, embedder)
  const tell = (effects: Effects, tenant: string, addresses: readonly { namespace: Namespace; key: string }[]) => {
    const telling = addresses.map(({ namespace, key }) => {
      return indexing.tellSoon(tenant, itemId(namespace, key), spaceOf(namespace))
    })
    effects.defer?.(Promise.all(telling))
  }
  return {
    async put(put) {
      const outcome = await items.put(put)
      if (outcome.outcome === 'saved') tell(put, put.tenant, [put])
      return outcome
    },
    async delete(deletion) {
      const deleted = await items.delete(deletion)
      if (deleted) tell(deletion, deletion.tenant, [deletion])
      return deleted
    },
    async batch(batch) {
      const { tenant, operations } = batch
      const results = await items.batch(batch)
      if (results.length === 0) return results
      const puts = operations.filter(({ op }) => op === 'put')
      tell(batch, tenant, puts)
      const gone = operations.filter((_, place) => {
        const result = results[place]
        return result?.op === 'delete' && result.deleted
      })
      const told = [...Map.groupBy(gone, ({ namespace }) => spaceOf(namespace))].map(([space, some]) => {
        const ids = some.map(({ namespace, key }) => itemId(namespace, key))
        return indexing.tellGone(tenant, space, ids)
      })
      batch.defer?.(Promise.all(told))
      return results
    },
    get: (read) => items.get(read),
    find: (search) => items.find(search),
    listNamespaces: (search) => items.listNamespaces(search),
    history: (read) => items.history(read),
    forgetVersions: (of) => items.forgetVersions(of),
    expire: (limit) => items.expire(limit),
    search: (search) => indexedSearch(options, search, indexing),
    deliver: { index: (message) => indexing.deliver(message) },
  }
}

/** What an index gives at once; more of it is seldom nearer. */
const mostHits = 1_000
const fewestHits = 30
const withoutEmbedder = 'The embedding service did not answer.'

async function indexedSearch(options: IndexedStoreOptions, search: ItemSearch, indexing: Indexing): Promise<ItemPage> {
  const { items, index, embedder } = options
  const { tenant } = search
  const { prefix, query = '', filter, limit, offset } = wholeSearch(search)
  const byWords = async (degraded: string) => ({ ...(await items.search(search)), degraded })
  if (query.trim() === '') return items.search(search)
  if (prefix.length === 0) return byWords('An index finds nothing across all namespaces.')
  const checked = indexing.checked()
  // It is awaited below, unless something else fails before.
  checked.catch(() => {})
  const { kind } = index.setup
  const vector = await vectorOf(query, options)
  const lame = embedder !== undefined && kind !== 'sparse' && vector === undefined
  if (lame && kind === 'dense') return byWords(withoutEmbedder)
  const wanted = offset + limit + 1
  const topK = Math.min(mostHits, Math.max(fewestHits, wanted * 3))
  let hits: IndexHits
  try {
    hits = await index.query({ tenant, space: spaceOf(prefix) }, { text: query, vector, prefix, filter, limit: topK })
  } catch (error) {
    if (isRecollectError(error) && error.code === 'storage_unavailable') return byWords('The index did not answer.')
    throw error
  }
  await checked
  const mode = lame ? 'sparse' : kind
  // Where it was narrowed, it may give less than there is.
  const whole = hits.ids.length >= wanted && filter === undefined && prefix.length === 1
  const page = await items.searchAmong(search, { ...hits, mode, whole, byMeaning: mode !== 'sparse' })
  return lame ? { ...page, degraded: withoutEmbedder } : page
}

/** `undefined`: none is needed, or the embedder did not answer in time. */
async function vectorOf(
  query: string,
  { index, embedder, patienceMs = 2_000 }: IndexedStoreOptions,
): Promise<readonly number[] | undefined> {
  try {
    return (await vectorsOf([query], index, embedder, { signal: AbortSignal.timeout(patienceMs) }))[0]
  } catch {
    return undefined
  }
}
