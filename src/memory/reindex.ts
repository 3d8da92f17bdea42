// Makes an index of items anew, or tells it what it is behind with: from the truth, page by page. Stopped, it goes on where it was.
import { spaceOf } from '../kernel/item.ts'
import type { Embedder } from '../ports/embedder.ts'
import type { IndexedItems, ItemIndex, TenantItem } from '../ports/item-index.ts'
import { assertEmbedder, vectorsOf } from './indexing.ts'

export interface ReindexOptions {
  /** The truth. */
  readonly items: IndexedItems
  readonly index: ItemIndex
  /** Of the texts that the index does not embed itself: the one that searches go by. */
  readonly embedder?: Embedder
  /** All items, also those that the index is said to have. They are told anew in any case when the index is made otherwise than before. */
  readonly anew?: boolean
  /** Items at once. 100 unless told otherwise. */
  readonly page?: number
  /** After each page: how many items are done and left, and about how long these take, in milliseconds. */
  readonly onProgress?: (progress: { readonly done: number; readonly left: number; readonly leftMs: number }) => void
}

/**
 * Meanwhile searches find by words what the index is behind with. Gives how many items it was told of. Throws what the index, the
 * embedder and the items throw, before anything is changed when the index or the model is the wrong one. Called again, without `anew`, it goes on.
 */
export async function reindex({
  items,
  index,
  embedder,
  anew = false,
  page = 100,
  onProgress,
}: ReindexOptions): Promise<number> {
  assertEmbedder(index, embedder)
  await tried(index, embedder)
  await items.replaceIndexSetup(index.setup, anew)
  const begunAt = performance.now()
  let done = 0
  for (;;) {
    const { total, items: some } = await items.behind(page)
    if (some.length === 0) return done
    await tellAll(some, index, embedder)
    await items.settledAll(some)
    done += some.length
    const left = Math.max(total - some.length, 0)
    onProgress?.({ done, left, leftMs: ((performance.now() - begunAt) / done) * left })
  }
}

/** Before anything is said of the index: a wrong name of a model or a wrong index would leave the Workers that run with neither. */
async function tried(index: ItemIndex, embedder: Embedder | undefined): Promise<void> {
  const [vector] = await vectorsOf(['memory'], index, embedder)
  const question = { text: 'memory', vector, prefix: [], filter: undefined, limit: 1 }
  await index.query({ tenant: '', space: '' }, question)
}

async function tellAll(some: readonly TenantItem[], index: ItemIndex, embedder: Embedder | undefined): Promise<void> {
  const texts = some.map(({ item }) => item.text)
  const vectors = await vectorsOf(texts, index, embedder)
  const entries = some.map(({ tenant, item, nearby }, place) => {
    return { tenant, space: spaceOf(item.namespace), entry: { item, nearby, vector: vectors[place] } }
  })
  const groups = Map.groupBy(entries, ({ tenant, space }) => JSON.stringify([tenant, space]))
  for (const group of groups.values()) {
    const told = group.map(({ entry }) => entry)
    if (group[0] !== undefined) await index.upsert(group[0], told)
  }
}
