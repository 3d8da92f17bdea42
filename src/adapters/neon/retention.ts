// How long threads and their checkpoints stay in Postgres.
import type { ThreadRecords } from '../../ports/thread-records.ts'
import type { Database } from './database.ts'

export function threadRetention(database: Database): Pick<ThreadRecords, 'expired' | 'deleteExpired' | 'prune'> {
  return {
    async expired(limit) {
      const rows = await database.rows(
        `select t.tenant, t.thread, t.owner from recollect.threads t
         where t.expires_at < clock_timestamp() and recollect.expired_v1(t) order by t.expires_at limit $1`,
        [limit],
      )
      return rows.map(({ tenant, thread, owner }) => ({
        tenant: String(tenant),
        thread: String(thread),
        owner: String(owner),
      }))
    },
    async deleteExpired({ tenant, thread }) {
      return (await database.call('delete_expired_thread_v1', { tenant, thread })) === true
    },
    async prune({ tenant, thread, owner }, keep) {
      const deleted = await database.call('prune_thread_v1', { tenant, thread, owner, keep })
      return deleted === null ? undefined : Number(deleted)
    },
  }
}
