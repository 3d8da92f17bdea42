// Makes an index of items anew, or tells it what it is behind with: from the truth, page by page. Stopped, it goes on where it was.
import { spaceOf } from '../kernel/item.ts'
import type { Embedder } from '../ports/embedder.ts'
import type { IndexEntry, IndexedItems, ItemIndex, TenantItem } from '../ports/item-index.ts'
import { indexName } from './indexing.ts'

export interface ReindexOptions {
  readonly items: IndexedItems
  readonly index: ItemIndex
  readonly embedder?: Embedder
  /** All items, also those that the index is said to have. They are told anew in any case when the index is made otherwise than before. */
  readonly anew?: boolean
  /** Items at once. 100 unless told otherwise. */
  readonly page?: number
  readonly onProgress?: (progress: { readonly done: number; readonly left: number; readonly leftMs: number }) => void
}

/** Meanwhile searches find by words what the index is behind with. Gives how many items it was told of. */
export async function reindex({
  items,
  index,
  embedder,
  anew = false,
  page = 100,
  onProgress,
}: ReindexOptions): Promise<number> {
  await tried(index, embedder)
  await items.replaceIndexSetup(indexName, index.setup, anew)
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
  const [vector] = index.setup.kind === 'sparse' ? [] : ((await embedder?.embed(['memory'])) ?? [])
  const question = { text: 'memory', prefix: [], filter: undefined, limit: 1, ...(vector !== undefined && { vector }) }
  await index.query({ tenant: '', space: '' }, question)
}

async function tellAll(some: readonly TenantItem[], index: ItemIndex, embedder: Embedder | undefined): Promise<void> {
  const embeds = embedder !== undefined && index.setup.kind !== 'sparse'
  const vectors = embeds ? await embedder.embed(some.map(({ item }) => item.text)) : []
  const entries = some.map(({ tenant, item, nearby }, place) => {
    const vector = vectors[place]
    const entry: IndexEntry = { item, nearby, ...(vector !== undefined && { vector }) }
    return { tenant, space: spaceOf(item.namespace), entry }
  })
  const groups = Map.groupBy(entries, ({ tenant, space }) => JSON.stringify([tenant, space]))
  for (const group of groups.values()) {
    const [first] = group
    if (first !== undefined)
      await index.upsert(
        first,
        group.map(({ entry }) => entry),
      )
  }
}
