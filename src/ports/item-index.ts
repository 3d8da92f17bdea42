// The port to an index of items, which finds them by what they say, and what it needs of the store that has the truth.
import type { Filter } from '../kernel/filter.ts'
import type { Namespace } from '../kernel/namespace.ts'
import type { Item, ItemPage, ItemSearch, Nearby, Store } from './store.ts'

/** What it finds may be behind, and is never believed: the store reads each item again. Throws `storage_unavailable`, and `index_mismatch` when it was made as another. */
export interface ItemIndex {
  /** What it is made with; kept, and compared before it is used. */
  readonly setup: IndexSetup
  /** In the place of what it has under the same ids. Queries may see it some seconds later. */
  upsert(place: IndexPlace, entries: readonly IndexEntry[]): Promise<void>
  /** Ids that it does not have are passed over. */
  delete(place: IndexPlace, ids: readonly string[]): Promise<void>
  /** The nearest first, `limit` at most. */
  query(place: IndexPlace, query: IndexQuery): Promise<IndexHits>
}

export interface IndexSetup {
  /** `sparse` finds by words, `dense` by meaning, `hybrid` by both. */
  readonly kind: 'sparse' | 'dense' | 'hybrid'
  /** The model whose vectors it takes; '' where it makes its own. */
  readonly embedder: string
  /** 0 where it makes its own. */
  readonly dimensions: number
}

/** Which part of the index: items of different tenants, or below different first segments, never share one. */
export interface IndexPlace {
  readonly tenant: string
  /** Of the first segment: a hash, which names nobody. */
  readonly space: string
}

export interface IndexEntry {
  readonly item: Item
  readonly nearby: Nearby
  /** Absent where the index makes its own. */
  readonly vector?: readonly number[] | undefined
}

export interface IndexQuery {
  readonly text: string
  /** Absent where the index makes its own, or goes by words for want of it. */
  readonly vector?: readonly number[] | undefined
  /** Its first segment is that of the place. */
  readonly prefix: Namespace
  /** Narrows it as far as the index can; what it cannot express is left to the store. */
  readonly filter: Filter | undefined
  readonly limit: number
}

export interface IndexHits {
  readonly ids: readonly string[]
  /** Of each id, in the same order. Higher is nearer. */
  readonly scores: readonly number[]
}

/**
 * What an index found. `whole`: it fills the page, and nothing was narrowed: what else has the words need not be looked for.
 * `byMeaning`: it finds also what shares no word with the query.
 */
export interface Candidates extends IndexHits {
  readonly mode: 'sparse' | 'dense' | 'hybrid'
  readonly whole: boolean
  readonly byMeaning: boolean
}

/** A store with the truth behind an index: it sends `index` messages of what has changed, and knows what the index has. */
export interface IndexedItems extends Store {
  /** As `search` with a query: what the index found, what it is behind with, and unless it is `whole` what else has the words. */
  searchAmong(search: ItemSearch, candidates: Candidates): Promise<ItemPage>
  /** With whether the index was told of it. `undefined`: it is gone, or has nothing to be found by. */
  toIndex(tenant: string, id: string): Promise<(IndexEntry & { readonly told: boolean }) | undefined>
  /** The index was told of it. False: it has changed or gone meanwhile. */
  indexed(tenant: string, item: Item): Promise<boolean>
  /** Queries of the index see it by now. False: it has changed or gone meanwhile. */
  settled(tenant: string, item: Item): Promise<boolean>
  /** Keeps what the index is made with, the first time; gives what is kept. */
  indexSetup(setup: IndexSetup): Promise<IndexSetup>
  /** Puts this in the place of what is kept of the index, and all items behind it, when it differs or when `anew`. */
  replaceIndexSetup(setup: IndexSetup, anew: boolean): Promise<void>
  /** Items of all tenants that the index is behind with, and how many there are in all. */
  behind(limit: number): Promise<{ readonly total: number; readonly items: readonly TenantItem[] }>
  /** The index was told of all of these, and its queries see them. What has changed meanwhile stays behind. */
  settledAll(items: readonly TenantItem[]): Promise<void>
}

export interface TenantItem {
  readonly tenant: string
  readonly item: Item
  /** `{}`: nothing was said beside it. */
  readonly nearby: Nearby
}
