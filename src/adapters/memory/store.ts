// Items in the memory of one process: for tests, examples and programs that need no durability.
import {
  assertOperations,
  assertRetention,
  assertVersion,
  fenced,
  itemId,
  type Retention,
  ttlIn,
  type WholeItem,
  wholeItem,
} from '../../kernel/item.ts'
import { assertIdSearch, wholeHistory } from '../../kernel/listing.ts'
import { assertItemKey, assertNamespace, compareText, isWithin, type Namespace } from '../../kernel/namespace.ts'
import type {
  Effects,
  HistoryRead,
  IdSearch,
  Item,
  ItemAddress,
  ItemBatch,
  ItemDeletion,
  ItemPage,
  ItemPut,
  ItemRead,
  ItemResult,
  ItemSearch,
  ItemVersion,
  NamespaceSearch,
  PutOutcome,
  Store,
} from '../../ports/store.ts'
import type { MemoryCheckpointer } from './checkpointer.ts'
import { type Items, isOver, itemOf, type StoredItem, search, touch, versionOf } from './items.ts'
import { namespacesIn } from './namespaces.ts'

export interface MemoryStoreOptions {
  /** Milliseconds since 1970; for tests of what time does. */
  readonly now?: () => number
  /** How long items live that were not told. 90 days unless told otherwise. */
  readonly retention?: Retention
  /** Of the threads in the same database: what a run of a deleted one puts is refused. Nothing is unless given. */
  readonly checkpointer?: Pick<MemoryCheckpointer, 'runHolds'>
}

const keptVersions = 100

/** Everything is lost with the process. One instance is one database. Throws `id_invalid` and `input_invalid` for a retention that is none. */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  return new MemoryStore(options)
}

class MemoryStore implements Store {
  readonly #tenants = new Map<string, Items>()
  readonly #now: () => number
  readonly #retention: Retention
  readonly #checkpointer: MemoryStoreOptions['checkpointer']

  constructor({ now = Date.now, retention = [], checkpointer }: MemoryStoreOptions) {
    this.#now = now
    this.#retention = assertRetention(retention)
    this.#checkpointer = checkpointer
  }

  async put(put: ItemPut): Promise<PutOutcome> {
    assertAddress(put)
    const whole = wholeItem(put)
    const claim = (await put.after)?.claim
    if (claim !== undefined && this.#checkpointer?.runHolds(put.tenant, claim) === false) throw fenced(claim.thread)
    return this.#put(put, whole)
  }

  async get(read: ItemRead): Promise<Item | undefined> {
    assertAddress(read)
    await read.after
    return this.#get(read, read.refresh)
  }

  async delete(deletion: ItemDeletion): Promise<boolean> {
    assertAddress(deletion)
    assertVersion(deletion.expectedVersion)
    await deletion.after
    return this.#delete(deletion)
  }

  async search(wanted: ItemSearch): Promise<ItemPage> {
    const page = search(this.#items(wanted.tenant), wanted, this.#now())
    await wanted.after
    if (wanted.refresh !== false) for (const { id } of page.items) this.#touch(wanted.tenant, id)
    return page
  }

  async find(search: IdSearch): Promise<readonly Item[]> {
    assertIdSearch(search)
    await search.after
    const { tenant, prefix, ids, refresh } = search
    return [...new Set(ids)].toSorted(compareText).flatMap((id) => {
      const stored = this.#items(tenant).get(id)
      return stored !== undefined && isWithin(stored.namespace, prefix)
        ? (this.#get({ ...stored, tenant }, refresh) ?? [])
        : []
    })
  }

  async listNamespaces(wanted: NamespaceSearch): Promise<readonly Namespace[]> {
    const live = [...this.#items(wanted.tenant).values()].filter((stored) => !isOver(stored, this.#now()))
    return namespacesIn(live, wanted)
  }

  async batch({ tenant, operations, strict = false, after }: ItemBatch): Promise<readonly ItemResult[]> {
    assertOperations(operations)
    const checked = operations.map((operation) => {
      assertAddress(operation)
      if (operation.op === 'delete') assertVersion(operation.expectedVersion)
      return { operation, whole: operation.op === 'put' ? wholeItem(operation) : undefined }
    })
    await after
    if (strict && !operations.every((operation) => this.#fits({ ...operation, tenant }))) return []
    return checked.map(({ operation, whole }): ItemResult => {
      const addressed = { ...operation, tenant }
      if (operation.op === 'get') return { op: 'get', item: this.#get(addressed, operation.refresh) }
      if (operation.op === 'put' && whole !== undefined) return { op: 'put', ...this.#put(addressed, whole) }
      return { op: 'delete', deleted: this.#delete(addressed) }
    })
  }

  async history(read: HistoryRead) {
    assertAddress(read)
    const { limit, before = Number.POSITIVE_INFINITY } = wholeHistory(read)
    const stored = this.#find(read)
    if (stored === undefined) return []
    const versions: readonly ItemVersion[] = [versionOf(stored), ...stored.versions]
    return versions.filter(({ version }) => version < before).slice(0, limit)
  }

  async forgetVersions({ tenant, source }: { readonly tenant: string; readonly source: string }): Promise<number> {
    let forgotten = 0
    for (const stored of this.#items(tenant).values()) {
      const left = stored.versions.filter((version) => version.source !== source)
      forgotten += stored.versions.length - left.length
      stored.versions = left
    }
    return forgotten
  }

  async expire(limit: number): Promise<number> {
    let expired = 0
    for (const items of this.#tenants.values()) {
      for (const [id, stored] of items) {
        if (expired >= limit || !isOver(stored, this.#now())) continue
        items.delete(id)
        expired++
      }
    }
    return expired
  }

  #items(tenant: string): Items {
    return this.#tenants.get(tenant) ?? new Map()
  }

  /** An item whose time is over is none. */
  #find({ tenant, namespace, key }: ItemAddress): StoredItem | undefined {
    const stored = this.#items(tenant).get(itemId(namespace, key))
    return stored === undefined || isOver(stored, this.#now()) ? undefined : stored
  }

  #fits(operation: ItemAddress & { readonly expectedVersion?: number }): boolean {
    const { expectedVersion } = operation
    return expectedVersion === undefined || expectedVersion === (this.#find(operation)?.version ?? 0)
  }

  #put(address: ItemAddress, whole: WholeItem): PutOutcome {
    const { tenant, namespace, key } = address
    const id = itemId(namespace, key)
    const old = this.#find(address)
    const { expectedVersion, ttlMs = old === undefined ? ttlIn(this.#retention, namespace) : old.ttlMs } = whole
    const now = this.#now()
    const expiresAtMs = ttlMs === null ? null : now + ttlMs
    const version = old?.version ?? 0
    // The same written again is no other version: it may be a write whose acknowledgement was lost.
    if (
      old !== undefined &&
      isSame(old, whole) &&
      (expectedVersion ?? version) >= version - 1 &&
      (expectedVersion ?? version) <= version
    ) {
      Object.assign(old, { ttlMs, expiresAtMs })
      return { outcome: 'saved', id, version }
    }
    if (expectedVersion !== undefined && expectedVersion !== version) return { outcome: 'outdated', id, version }
    const versions = old === undefined ? [] : [versionOf(old), ...old.versions].slice(0, keptVersions - 1)
    const { ttlMs: _, expectedVersion: __, ...said } = whole
    const content = { ...said, version: version + 1, updatedAtMs: now }
    const stored = {
      ...{ id, namespace, key, ttlMs, expiresAtMs, versions },
      createdAtMs: old?.createdAtMs ?? now,
      ...content,
    }
    const items = this.#items(tenant)
    this.#tenants.set(tenant, items)
    // Behind the others, as the latest.
    items.delete(id)
    items.set(id, stored)
    return { outcome: 'saved', id, version: version + 1 }
  }

  #get(address: ItemAddress, refresh = true): Item | undefined {
    const stored = this.#find(address)
    if (stored === undefined) return undefined
    const item = itemOf(stored)
    if (refresh) touch(stored, this.#now())
    return item
  }

  #delete(deletion: Omit<ItemDeletion, keyof Effects>): boolean {
    const stored = this.#find(deletion)
    if (stored === undefined || (deletion.expectedVersion ?? stored.version) !== stored.version) return false
    return this.#items(deletion.tenant).delete(stored.id)
  }

  #touch(tenant: string, id: string): void {
    const stored = this.#items(tenant).get(id)
    if (stored !== undefined) touch(stored, this.#now())
  }
}

function isSame(old: StoredItem, whole: WholeItem): boolean {
  const content = ({ value, text, textBefore, textAfter, tags, source, author }: Omit<StoredItem, 'id'> | WholeItem) =>
    JSON.stringify([value, text, textBefore, textAfter, tags, source, author])
  return content(old) === content(whole)
}

function assertAddress({ namespace, key }: { readonly namespace: unknown; readonly key: unknown }): void {
  assertNamespace(namespace)
  assertItemKey(key)
}
