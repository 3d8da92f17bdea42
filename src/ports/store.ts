// The port to the long-term store: items under namespaces, found by key, by filter and by what they say. Tenant first in everything.
import type { Filter } from '../kernel/filter.ts'
import type { Namespace } from '../kernel/namespace.ts'

/**
 * Every method throws `id_invalid` and `input_invalid` for what is not an address, an item or a filter; `storage_unavailable` when
 * the outcome is unknown or the service is away; `storage_failed` when it refused; `schema_outdated` when it is older than this
 * version. What is written may be written again unchanged.
 */
export interface Store {
  /**
   * Durable when it is said to be saved, and found from then on. The last writer wins, unless a version is expected. Throws also
   * `item_too_large`, `state_unserializable` for a value that is not plain data, and `run_fenced`: see {@link Holding}.
   */
  put(put: ItemPut): Promise<PutOutcome>
  /** `undefined`: there is none, or its time is over. */
  get(read: ItemRead): Promise<Item | undefined>
  /** With its history. False: there was none, or not of the expected version. */
  delete(deletion: ItemDeletion): Promise<boolean>
  /** What the filter leaves out is left out before the limit counts. */
  search(search: ItemSearch): Promise<ItemPage>
  /** Those that items are in, each once, in the order of code points. */
  listNamespaces(search: NamespaceSearch): Promise<readonly Namespace[]>
  /** In order, all or nothing but for versions that do not fit, unless it is `strict`; in one statement. Throws as `put` does, but not `run_fenced`. */
  batch(batch: ItemBatch): Promise<readonly ItemResult[]>
  /** Its versions, newest first, the present one included. Empty: there is no such item. */
  history(read: HistoryRead): Promise<readonly ItemVersion[]>
  /** Takes versions that were replaced and came from the source out of the history; their items stay. Gives how many. */
  forgetVersions(of: { readonly tenant: string; readonly source: string }): Promise<number>
  /** Those of these ids that there are, at or below the namespace, in the order of their ids. At most 100. */
  find(search: IdSearch): Promise<readonly Item[]>
  /** Deletes items whose time is over, of all tenants. Gives how many. */
  expire(limit: number): Promise<number>
  /** Takes the store's own messages out of the outbox, by topic; absent: it sends none. */
  readonly deliver?: Readonly<Record<string, (message: StoreMessage) => Promise<void>>>
}

export interface ItemAddress {
  readonly tenant: string
  readonly namespace: Namespace
  /** 1 to 256 characters without control characters. */
  readonly key: string
}

/** The whole item: tags, source and author that are not given are gone with the version before. The time to live stays. */
export interface ItemPut extends ItemAddress, Effects {
  /** Plain data, as JSON at most 64 KiB. */
  readonly value: ItemValue
  /**
   * What it is found by: its first 16,000 characters. `undefined`: the value's own `text`, or else all texts in it; `false`: it is
   * found by key and filter alone.
   */
  readonly text?: string | false
  /** What was said beside it: an index finds it by these words too, at less weight. No part of the item, and replaced with it. */
  readonly nearby?: Nearby
  /** What filters ask for: at most 32, each of 1 to 64 characters. */
  readonly tags?: readonly string[]
  /** Where it comes from, such as `chat`: 1 to 256 characters. */
  readonly source?: string
  /** Who said it: 1 to 256 characters. */
  readonly author?: string
  /**
   * How long it lives without being read, in milliseconds; `null`: it is pinned. `undefined`: as long as before; of a new one, as
   * its namespace has it.
   */
  readonly ttlMs?: number | null
  /** The version that is to be replaced; 0: there must be none. */
  readonly expectedVersion?: number
}

/** The first 2,000 characters of each count. */
export interface Nearby {
  readonly before?: string
  readonly after?: string
}

/** Plain data: JSON, and dates, maps, sets, bigints, bytes and `undefined`; no instances of other classes. */
export type ItemValue = Readonly<Record<string, unknown>>

/** `outdated`: nothing was written; `version` is the present one, 0 for none. The same written again is `saved`, and no other version. */
export interface PutOutcome {
  readonly outcome: 'saved' | 'outdated'
  /** What the item is cited by, saved or not. */
  readonly id: string
  readonly version: number
}

export interface Item {
  readonly namespace: Namespace
  readonly key: string
  /** Made of namespace and key: what the item is cited by. 24 characters. */
  readonly id: string
  readonly value: ItemValue
  /** What it is found by, as text; '' for nothing. */
  readonly text: string
  readonly tags: readonly string[]
  /** `null`: it was put without; the author too. */
  readonly source: string | null
  readonly author: string | null
  /** From 1. */
  readonly version: number
  /** ISO 8601, to the millisecond. */
  readonly createdAt: string
  /** When this version was written; ISO 8601. */
  readonly updatedAt: string
  /** When it was read. `null`: it is pinned. A read that refreshes comes after. */
  readonly expiresAt: string | null
  /** How long it lives from a read on, in milliseconds; `null`: it is pinned. */
  readonly ttlMs: number | null
}

export interface ItemRead extends ItemAddress, Effects {
  /** Its time to live counts from now. True unless told otherwise. */
  readonly refresh?: boolean
}

export interface ItemDeletion extends ItemAddress, Effects {
  /** The version that is to be deleted. Whichever it is unless given. */
  readonly expectedVersion?: number
}

/** What is sent with whatever has an effect. */
export interface Effects {
  /** Nothing is written before it settles: the claim of the turn that asks. */
  readonly after?: PromiseLike<Holding> | undefined
  /** Takes what may happen after the answer. Without it nobody waits for that. */
  readonly defer?: ((work: Promise<unknown>) => void) | undefined
}

/**
 * What the turn that asks holds. A store that is in one database with the threads refuses a put by a turn whose thread was deleted, or
 * taken over, with `run_fenced`: what is forgotten with a thread does not come back by a run of it.
 */
export interface Holding {
  /** `undefined`: it has no thread. */
  readonly claim?: { readonly thread: string; readonly token: string } | undefined
}

export interface ItemSearch extends Effects {
  readonly tenant: string
  /** Of the namespaces to look in; empty: all of the tenant. */
  readonly prefix: Namespace
  /** Words, or a question: '' finds nothing. Without it the latest are first. */
  readonly query?: string
  /** Which ones alone. */
  readonly filter?: Filter
  /** 1 to 100; 10 unless told otherwise. */
  readonly limit?: number
  /** 0 to 10,000. */
  readonly offset?: number
  /**
   * Without a query: in the order of their ids, only those behind this one; '' for the first. An id stays when its item is written
   * again, so that whoever pages by the last one misses no item that was there all the time. With a query it is `input_invalid`.
   */
  readonly afterId?: string
  /** The time to live of what is found counts from now. True unless told otherwise. */
  readonly refresh?: boolean
}

export interface FoundItem extends Item {
  /** Higher is nearer, within one answer. `null`: it was not found by nearness. */
  readonly score: number | null
}

export interface ItemPage {
  /** The nearest first; without a query the latest, or those of `afterId` by id. */
  readonly items: readonly FoundItem[]
  /** Whether there is more behind the limit. */
  readonly more: boolean
  /** How it was searched: by no words, by words alone, or by the index. */
  readonly mode: 'list' | 'text' | 'sparse' | 'dense' | 'hybrid'
  /** Why it was not searched as it is set up to be; `null`: it was. */
  readonly degraded: string | null
}

export interface NamespaceSearch {
  readonly tenant: string
  /** What they begin with, by whole segments; `*` is any one. */
  readonly prefix?: Namespace
  /** What they end with, likewise. */
  readonly suffix?: Namespace
  /** Deeper ones are cut off there, and each is given once. 1 to 16 segments. */
  readonly maxDepth?: number
  /** 1 to 1,000; 100 unless told otherwise. */
  readonly limit?: number
  /** 0 to 10,000. */
  readonly offset?: number
}

export interface ItemBatch extends Effects {
  readonly tenant: string
  /** At most 100. */
  readonly operations: readonly ItemOperation[]
  /** True: when a version does not fit, nothing is written and nothing is answered: no results. */
  readonly strict?: boolean
}

export type ItemOperation =
  | ({ readonly op: 'put' } & Omit<ItemPut, 'tenant' | keyof Effects>)
  | ({ readonly op: 'get' } & Omit<ItemRead, 'tenant' | keyof Effects>)
  | ({ readonly op: 'delete' } & Omit<ItemDeletion, 'tenant' | keyof Effects>)

/** At the place of its operation. `item`: `undefined` for none; `deleted`: as `delete` says it. */
export type ItemResult =
  | ({ readonly op: 'put' } & PutOutcome)
  | { readonly op: 'get'; readonly item: Item | undefined }
  | { readonly op: 'delete'; readonly deleted: boolean }

export interface HistoryRead extends ItemAddress {
  /** 1 to 100; 10 unless told otherwise. */
  readonly limit?: number
  /** Only versions below this one. */
  readonly before?: number
}

/** The last 100 are kept. */
export type ItemVersion = Pick<Item, 'version' | 'value' | 'tags' | 'source' | 'author'> & {
  /** When it was written. */
  readonly at: string
}

export interface IdSearch extends Effects {
  readonly tenant: string
  /** At or below; empty: all of the tenant. */
  readonly prefix: Namespace
  /** At most 100. What is no id is passed over. */
  readonly ids: readonly string[]
  /** The time to live of what is found counts from now. True unless told otherwise. */
  readonly refresh?: boolean
}

/** On its way from the outbox to `Store.deliver`, which throws when it is to come again. */
export interface StoreMessage {
  readonly tenant: string
  /** Decoded. */
  readonly payload: unknown
}

/** The graph that the store's messages stand under in the outbox: no graph has such a name. */
export const storeGraph = '$store'
