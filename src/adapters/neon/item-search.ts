// Search over items, in one statement: those of a range of paths that meet the filter, by words or among what an index found.
import { filterText } from '../../kernel/filter.ts'
import { wholeSearch } from '../../kernel/listing.ts'
import { pathRange } from '../../kernel/namespace.ts'
import type { Candidates } from '../../ports/item-index.ts'
import type { FoundItem, ItemPage, ItemSearch } from '../../ports/store.ts'
import type { Database } from './database.ts'
import { filterSql } from './filter.ts'
import { type ItemRow, itemOf } from './item-rows.ts'

/** In UTF-16 units; a question is shorter. */
const longestQuery = 2_000

const order = 'order by rank, near desc, updated_at desc, id'

const live = 'coalesce(i.expires_at >= clock_timestamp(), true)'

export async function searchItems(database: Database, search: ItemSearch, found?: Candidates): Promise<ItemPage> {
  const { tenant, refresh = true, after } = search
  const whole = wholeSearch(search)
  const { query, limit } = whole
  const { text, parameters } = statementOf(tenant, whole, found)
  await after
  const rows = await (refresh
    ? database.rows(refreshing(text, `$${parameters.length + 1}`), [...parameters, limit])
    : database.rows(`${text} ${result}`, parameters))
  const items = rows.map(({ item, score }): FoundItem => {
    return { ...itemOf(item as ItemRow), score: score === null ? null : Number(score) }
  })
  const mode = query === undefined ? 'list' : (found?.mode ?? 'text')
  return { items: items.slice(0, limit), more: items.length > limit, mode, degraded: null }
}

function statementOf(tenant: string, search: ReturnType<typeof wholeSearch>, found: Candidates | undefined) {
  const { prefix, query, filter, limit, offset, afterId } = search
  const parameters: unknown[] = []
  const bind = (parameter: unknown) => `$${parameters.push(parameter)}`
  const { from, before } = pathRange(prefix)
  const range = `i.tenant = ${bind(tenant)} and i.path >= ${bind(from)} and i.path < ${bind(before)}`
  const wanted = `${range} and ${live} and ${filter === undefined ? 'true' : filterSql(filter, bind)}`
  const page = `limit ${bind(limit + 1)} offset ${bind(offset)}`
  if (query === undefined) {
    const [time, behind, by] =
      afterId === undefined
        ? ['i.updated_at', '', order]
        : ['null::timestamptz', `and i.id > ${bind(afterId)}`, 'order by i.id']
    const hits = `select i.id, ${time} as updated_at, 0 as rank, 0 as near, null::float8 as score from recollect.items i where ${wanted} ${behind} ${by} ${page}`
    return { text: `with hits as (${hits})`, parameters }
  }
  // Made once: taken apart, the planner would make it anew for every row.
  const words = `asked as materialized (select recollect.query_words_v1(${bind(filterText(query.slice(0, longestQuery)))}) as words)`
  const byWords = 'i.words @@ asked.words'
  const near = 'ts_rank(i.words, asked.words, 1)::float8'
  if (found === undefined) {
    const hits = `select i.id, i.updated_at, 0 as rank, ${near} as near, ${near} as score from recollect.items i, asked where ${byWords} and ${wanted} ${order} ${page}`
    return { text: `with ${words}, hits as (${hits})`, parameters }
  }
  // Nearest of all is what was written just now and says the words; then what the index found; then what it may have missed.
  const candidates = `unnest(${bind(found.ids)}::text[], ${bind(found.scores)}::float8[]) c (id, score)`
  const arms = [
    `select i.id, i.updated_at, 1 as rank, c.score as near, c.score from ${candidates} join recollect.items i on i.tenant = $1 and i.id = c.id where i.settled_version = i.version and ${wanted}`,
    // Those are few: `offset 0` keeps the planner from looking at all that have the words.
    `select i.id, i.updated_at, 0, ${near}, null from (select * from recollect.items i where i.settled_version < i.version and ${wanted} offset 0) i, asked where ${byWords}`,
  ]
  if (!found.whole) {
    arms.push(
      `select i.id, i.updated_at, 2, ${near}, null from recollect.items i, asked where i.settled_version = i.version and ${byWords} and ${wanted}`,
    )
  }
  if (found.byMeaning) {
    arms.push(
      `select i.id, i.updated_at, 3, 0, null from recollect.items i where i.settled_version < i.version and i.text <> '' and ${wanted}`,
    )
  }
  const each = `select id, updated_at, min(rank) as rank, max(near) as near, max(score) as score from (${arms.join(' union all ')}) arms group by id, updated_at`
  return { text: `with ${words}, hits as (${each} ${order} ${page})`, parameters }
}

const result = `select recollect.item_json_v1(i) as item, h.score from hits h join recollect.items i on i.tenant = $1 and i.id = h.id
  order by h.rank, h.near desc, h.updated_at desc, h.id`

/**
 * What another is writing is left alone: it is refreshed by that, and two readers never wait for each other. Of the hits, one may be
 * behind the limit, to say that there is more: it was not read.
 */
function refreshing(text: string, limit: string): string {
  return `${text}, refreshed as (
    update recollect.items i set expires_at = clock_timestamp() + i.ttl_ms * interval '1 millisecond' from (
      select x.id from recollect.items x where x.tenant = $1 and x.id in (select h.id from hits h ${order} limit ${limit}) and recollect.item_stale_v1(x)
      for update skip locked
    ) stale where i.tenant = $1 and i.id = stale.id
  ) ${result}`
}
