// Thread and run records in Postgres.
import type { Checkpointer } from '../../ports/checkpointer.ts'
import type { ThreadCreation, ThreadSearch } from '../../ports/thread-records.ts'
import type { Database } from './database.ts'
import { jsonbOf } from './metadata.ts'
import { threadRetention } from './retention.ts'
import { type RunRow, runOf, type ThreadRow, threadOf } from './rows.ts'

const columns = { createdAt: 'created_at', updatedAt: 'updated_at', thread: 'thread' } as const
const matching =
  'recollect.matching_threads_v1(_tenant => $1, _owner => $2, _ids => $3, _status => $4, _metadata => $5) t'

export function threadRecords(database: Database): Checkpointer['threads'] {
  const filters = ({ tenant, owner, ids, status, metadata }: ThreadSearch) => [
    tenant,
    owner,
    ids,
    status,
    jsonbOf(metadata),
  ]
  return {
    async create({ tenant, thread, owner }, { metadata = {}, ttlMs }) {
      const parameters = { tenant, thread, owner, metadata: jsonbOf(metadata), ttlMs }
      const created = (await database.call('create_thread_v2', parameters)) as CreationRow
      return created.outcome === 'taken' ? created : { outcome: created.outcome, thread: threadOf(created.thread) }
    },
    async get({ tenant, thread, owner }) {
      const rows = await database.rows(
        `select recollect.thread_json_v1(t) as result from recollect.threads t
         where t.tenant = $1 and t.thread = $2 and t.owner = coalesce($3, t.owner)`,
        [tenant, thread, owner],
      )
      return rows[0] && threadOf(rows[0].result as ThreadRow)
    },
    async search(search) {
      const order = `t.${columns[search.sortBy]} ${search.descending ? 'desc' : 'asc'}, t.thread ${search.descending ? 'desc' : 'asc'}`
      const rows = await database.rows(
        `select recollect.thread_json_v1(t) as result from ${matching} order by ${order} limit $6 offset $7`,
        [...filters(search), search.limit, search.offset],
      )
      return rows.map(({ result }) => threadOf(result as ThreadRow))
    },
    async count(search) {
      const rows = await database.rows(`select count(*)::int as result from ${matching}`, filters(search))
      return Number(rows[0]?.result)
    },
    async patch({ tenant, thread, owner }, { metadata = {}, ttlMs }) {
      const parameters = { tenant, thread, owner, metadata: jsonbOf(metadata), ttlMs }
      const patched = await database.call('patch_thread_v2', parameters)
      return patched === null ? undefined : threadOf(patched as ThreadRow)
    },
    async delete({ tenant, thread, owner }) {
      return (await database.call('delete_thread_v1', { tenant, thread, owner })) === true
    },
    ...threadRetention(database),
  }
}

export function runRecords(database: Database): Checkpointer['runs'] {
  const ofThread = `from recollect.runs r join recollect.threads t on t.tenant = r.tenant and t.thread = r.thread
    where r.tenant = $1 and r.thread = $2 and t.owner = coalesce($3, t.owner)`
  return {
    async get({ tenant, thread, owner }, run) {
      const text = `select recollect.run_json_v1(r) as result ${ofThread} and r.run = $4`
      const rows = await database.rows(text, [tenant, thread, owner, run])
      return rows[0] && runOf(rows[0].result as RunRow)
    },
    async list({ tenant, thread, owner }, { limit, offset }) {
      const text = `select recollect.run_json_v1(r) as result ${ofThread} order by r.ticket desc limit $4 offset $5`
      const rows = await database.rows(text, [tenant, thread, owner, limit, offset])
      return rows.map(({ result }) => runOf(result as RunRow))
    },
  }
}

type CreationRow =
  | { readonly outcome: 'created' | 'exists'; readonly thread: ThreadRow }
  | Extract<ThreadCreation, { outcome: 'taken' }>
