// What an index of the items needs of Postgres.
import type { IndexedItems, IndexSetup } from '../../ports/item-index.ts'
import type { Database } from './database.ts'
import { type ItemRow, itemOf } from './item-rows.ts'

export function indexing(
  database: Database,
): Pick<IndexedItems, 'toIndex' | 'indexed' | 'settled' | 'indexSetup' | 'pageToIndex'> {
  return {
    async toIndex(tenant, id) {
      const row = await database.call('item_to_index_v1', { tenant, id })
      if (row === null) return undefined
      const { item, told } = row as { readonly item: ItemRow; readonly told: boolean }
      return { item: itemOf(item), told }
    },
    async indexed(tenant, { id, version, updatedAt }) {
      return (await database.call('item_indexed_v1', { tenant, id, version, updatedAt })) === true
    },
    async settled(tenant, { id, version }) {
      return (await database.call('item_settled_v1', { tenant, id, version })) === true
    },
    async indexSetup(name, { kind, embedder, dimensions }) {
      const [row] = await database.rows(
        `with kept as (
           insert into recollect.index_meta (name, kind, embedder, dimensions) values ($1, $2, $3, $4)
           on conflict do nothing returning kind, embedder, dimensions
         )
         select * from kept union all select m.kind, m.embedder, m.dimensions from recollect.index_meta m where m.name = $1`,
        [name, kind, embedder, dimensions],
      )
      // No row: another is keeping its own this very moment, and the next to ask will see it.
      return row === undefined ? { kind, embedder, dimensions } : setupOf(row)
    },
    async pageToIndex(after, limit) {
      const rows = await database.rows(
        `select i.tenant, i.id from recollect.items i where i.text <> '' and (i.tenant, i.id) > ($1, $2)
         order by i.tenant, i.id limit $3`,
        [after?.tenant ?? '', after?.id ?? '', limit],
      )
      return rows.map(({ tenant, id }) => ({ tenant: String(tenant), id: String(id) }))
    },
  }
}

function setupOf({ kind, embedder, dimensions }: Record<string, unknown>): IndexSetup {
  return { kind: kind as IndexSetup['kind'], embedder: String(embedder), dimensions: Number(dimensions) }
}
