// What an index of the items needs of Postgres.
import type { IndexedItems, IndexSetup } from '../../ports/item-index.ts'
import type { Nearby, Store } from '../../ports/store.ts'
import type { Database } from './database.ts'
import { type ItemRow, itemOf } from './item-rows.ts'

export function indexing(database: Database): Omit<IndexedItems, keyof Store | 'searchAmong'> {
  return {
    async toIndex(tenant, id) {
      const row = await database.call('item_to_index_v1', { tenant, id })
      if (row === null) return undefined
      const { item, told, before, after } = row as NearbyRow & { readonly item: ItemRow; readonly told: boolean }
      return { item: itemOf(item), nearby: nearbyOf({ before, after }), told }
    },
    async indexed(tenant, { id, version, updatedAt }) {
      return (await database.call('item_indexed_v1', { tenant, id, version, updatedAt })) === true
    },
    async settled(tenant, { id, version }) {
      return (await database.call('item_settled_v1', { tenant, id, version })) === true
    },
    async indexSetup({ kind, embedder, dimensions }) {
      const [row] = await database.rows(
        `with kept as (
           insert into recollect.index_meta (name, kind, embedder, dimensions) values ('items', $1, $2, $3)
           on conflict do nothing returning kind, embedder, dimensions
         )
         select * from kept union all select m.kind, m.embedder, m.dimensions from recollect.index_meta m where m.name = 'items'`,
        [kind, embedder, dimensions],
      )
      // No row: another is keeping its own this very moment, and the next to ask will see it.
      return row === undefined ? { kind, embedder, dimensions } : setupOf(row)
    },
    async replaceIndexSetup({ kind, embedder, dimensions }, anew) {
      await database.rows(
        `with before as (
           select 1 from recollect.index_meta m where m.name = 'items' and (m.kind, m.embedder, m.dimensions) = ($1, $2, $3::int) and not $4
         ), kept as (
           insert into recollect.index_meta (name, kind, embedder, dimensions) values ('items', $1, $2, $3)
           on conflict (name) do update set kind = excluded.kind, embedder = excluded.embedder, dimensions = excluded.dimensions
         )
         update recollect.items i set indexed_version = 0, settled_version = 0
         where i.text <> '' and not exists (select 1 from before)`,
        [kind, embedder, dimensions, anew],
      )
    },
    behind: (limit) => behind(database, limit),
    async settledAll(items) {
      await database.rows(
        `update recollect.items i set indexed_version = i.version, settled_version = i.version
         from json_to_recordset($1) x (tenant text, id text, version bigint, "updatedAt" timestamptz)
         where i.tenant = x.tenant and i.id = x.id and i.version = x.version and i.updated_at = x."updatedAt"`,
        [
          JSON.stringify(
            items.map(({ tenant, item: { id, version, updatedAt } }) => ({ tenant, id, version, updatedAt })),
          ),
        ],
      )
    },
  }
}

async function behind(database: Database, limit: number) {
  const rows = await database.rows(
    `select i.tenant, recollect.item_json_v1(i) as item, i.text_before as before, i.text_after as after,
       (select count(*) from recollect.items b where b.settled_version < b.version) as total
     from recollect.items i where i.settled_version < i.version limit $1`,
    [limit],
  )
  const items = rows.map(({ tenant, item, ...row }) => {
    return { tenant: String(tenant), item: itemOf(item as ItemRow), nearby: nearbyOf(row) }
  })
  return { total: Number(rows[0]?.total ?? 0), items }
}

interface NearbyRow {
  readonly before?: unknown
  readonly after?: unknown
}

function nearbyOf({ before, after }: NearbyRow): Nearby {
  return { ...(typeof before === 'string' && { before }), ...(typeof after === 'string' && { after }) }
}

function setupOf({ kind, embedder, dimensions }: Record<string, unknown>): IndexSetup {
  return { kind: kind as IndexSetup['kind'], embedder: String(embedder), dimensions: Number(dimensions) }
}
