// Items in Postgres, over Neon's HTTP protocol. The rules of writing are in schema.sql; every call is one statement.
import { filterValue } from '../../kernel/filter.ts'
import {
  assertOperations,
  assertRetention,
  assertVersion,
  fenced,
  isItemId,
  itemId,
  type Retention,
  spaceOf,
  ttlIn,
  wholeItem,
} from '../../kernel/item.ts'
import { assertIdSearch, wholeHistory, wholeNamespaceSearch } from '../../kernel/listing.ts'
import {
  assertItemKey,
  assertNamespace,
  type Namespace,
  namespaceOf,
  pathOf,
  pathRange,
} from '../../kernel/namespace.ts'
import type { IndexedItems } from '../../ports/item-index.ts'
import type { IdSearch, ItemAddress, ItemPut, ItemResult, NamespaceSearch, PutOutcome } from '../../ports/store.ts'
import { type Database, database, type Sql } from './database.ts'
import { indexing } from './item-indexing.ts'
import { type ItemRow, itemOf, type VersionRow, versionOf } from './item-rows.ts'
import { searchItems } from './item-search.ts'

export interface NeonStoreOptions {
  /** How long items live that were not told. 90 days unless told otherwise. */
  readonly retention?: Retention
  /** Whether an index is behind it, which is told what changes: true under `indexedStore`. False unless told otherwise. */
  readonly indexed?: boolean
}

/**
 * `neonStore(neon(env.DATABASE_URL))`. Needs the tables of `schema.sql`. Without an index it is searched by words. Safe at module
 * scope: it keeps no connection. Throws `id_invalid` and `input_invalid` for a retention that is none.
 */
export function neonStore(sql: Sql, { retention = [], indexed = false }: NeonStoreOptions = {}): IndexedItems {
  return storeOn(database(sql), assertRetention(retention), indexed)
}

function storeOn(database: Database, retention: Retention, indexed: boolean): IndexedItems {
  return {
    async put({ tenant, after, ...given }) {
      const parameters = putParameters(given, retention)
      const claim = (await after)?.claim
      const put = { tenant, ...parameters, indexed, thread: claim?.thread, token: claim?.token }
      const saved = (await database.call('store_put_v1', put)) as PutOutcome | { readonly outcome: 'fenced' }
      if (saved.outcome === 'fenced') throw fenced(claim?.thread)
      return saved
    },
    async get({ tenant, refresh = true, after, ...address }) {
      const id = idOf(address)
      await after
      const row = await database.call('store_get_v1', { tenant, id, refresh })
      return row === null ? undefined : itemOf(row as ItemRow)
    },
    async delete({ tenant, expectedVersion: expected, after, ...address }) {
      const id = idOf(address)
      assertVersion(expected)
      await after
      return (await database.call('store_delete_v1', { tenant, id, expected, indexed })) === true
    },
    search: (search) => searchItems(database, search),
    searchAmong: (search, candidates) => searchItems(database, search, candidates),
    find: (search) => find(database, search),
    listNamespaces: (search) => listNamespaces(database, search),
    async batch({ tenant, operations, strict = false, after }) {
      assertOperations(operations)
      const given = operations.map((operation) => {
        if (operation.op === 'put') return { op: 'put', ...putParameters(operation, retention) }
        if (operation.op === 'get') return { op: 'get', id: idOf(operation), refresh: operation.refresh ?? true }
        assertVersion(operation.expectedVersion)
        return { op: 'delete', id: idOf(operation), expected: operation.expectedVersion }
      })
      await after
      if (given.length === 0) return []
      const parameters = { tenant, operations: JSON.stringify(given), strict, indexed }
      const results = (await database.call('store_batch_v1', parameters)) as readonly unknown[] | null
      if (results === null) return []
      return operations.map(({ op }, index) => resultOf(op, results[index]))
    },
    async history({ tenant, ...read }) {
      const parameters = { tenant, id: idOf(read), ...wholeHistory(read) }
      const rows = await database.call('store_history_v1', parameters)
      return ((rows ?? []) as readonly VersionRow[]).map(versionOf)
    },
    async forgetVersions({ tenant, source }) {
      const gone = 'delete from recollect.item_history h where h.tenant = $1 and h.source = $2 returning 1'
      return (await database.rows(gone, [tenant, source])).length
    },
    expire: async (limit) => Number(await database.call('expire_items_v1', { limit, indexed })),
    ...indexing(database),
  }
}

function idOf({ namespace, key }: Omit<ItemAddress, 'tenant'>): string {
  assertNamespace(namespace)
  assertItemKey(key)
  return itemId(namespace, key)
}

function putParameters(put: Omit<ItemPut, 'tenant'>, retention: Retention) {
  const { namespace, key } = put
  const id = idOf(put)
  const { value, text, textBefore, textAfter, tags, source, author, ttlMs, expectedVersion = null } = wholeItem(put)
  return {
    ...{ id, space: spaceOf(namespace), path: pathOf(namespace), key, value, doc: filterValue(value), text },
    ...{ textBefore, textAfter, tags, source, author, keepsTtl: ttlMs === undefined },
    ...{ ttlMs: ttlMs === undefined ? ttlIn(retention, namespace) : ttlMs, expected: expectedVersion },
  }
}

function resultOf(op: ItemResult['op'], result: unknown): ItemResult {
  if (op === 'put') return { op, ...(result as PutOutcome) }
  if (op === 'delete') return { op, deleted: result === true }
  return { op, item: result === null ? undefined : itemOf(result as ItemRow) }
}

async function find(database: Database, search: IdSearch) {
  assertIdSearch(search)
  const { tenant, prefix, ids, refresh = true, after } = search
  const { from, before } = pathRange(prefix)
  await after
  const known = ids.filter(isItemId)
  if (known.length === 0) return []
  const rows = await database.rows(
    `select recollect.store_get_v1(i.tenant, i.id, $5) as result from recollect.items i
     where i.tenant = $1 and i.id = any($2) and i.path >= $3 and i.path < $4 order by i.id`,
    [tenant, known, from, before, refresh],
  )
  return rows.flatMap(({ result }) => (result === null ? [] : [itemOf(result as ItemRow)]))
}

async function listNamespaces(database: Database, search: NamespaceSearch): Promise<readonly Namespace[]> {
  const { within, pattern, ...page } = wholeNamespaceSearch(search)
  const parameters = { tenant: search.tenant, ...pathRange(within), pattern, ...page }
  const paths = await database.call('store_namespaces_v1', parameters)
  return ((paths ?? []) as readonly string[]).map(namespaceOf)
}
