// Messages on their way out of Postgres.
import type { Outbox, OutboxMessage } from '../../ports/outbox.ts'
import type { Database } from './database.ts'
import { isoTime } from './rows.ts'

export function neonOutbox(database: Database): Outbox {
  return {
    async take({ graphs, run, token, limit, leaseMs }) {
      const rows = await database.rows(
        'select to_json(m) as result from recollect.take_messages_v1($1, $2, $3, $4, $5, $6) m',
        [graphs, run?.tenant, run?.run, token, limit, leaseMs],
      )
      return rows.map(({ result }) => messageOf(result as MessageRow))
    },
    async settle({ tenant, id, token }, fate) {
      const dueInMs = fate.status === 'pending' ? fate.dueInMs : null
      const error = fate.status === 'delivered' ? null : fate.error
      const parameters = { tenant, id, token, status: fate.status, dueInMs, error }
      return (await database.call('settle_message_v1', parameters)) === true
    },
    async forget(tenant, owner) {
      await database.rows('delete from recollect.outbox where tenant = $1 and owner = $2', [tenant, owner])
    },
    async purge(settledForMs) {
      await database.rows(
        `delete from recollect.outbox where settled_at < clock_timestamp() - $1 * interval '1 millisecond'`,
        [settledForMs],
      )
    },
  }
}

interface MessageRow extends Omit<OutboxMessage, 'attempt' | 'createdAt'> {
  readonly attempts: number
  readonly created_at: string
}

function messageOf({
  tenant,
  id,
  thread,
  run,
  graph,
  topic,
  payload,
  attempts,
  created_at,
}: MessageRow): OutboxMessage {
  return { tenant, id, thread, run, graph, topic, payload, attempt: attempts, createdAt: isoTime(created_at) }
}
