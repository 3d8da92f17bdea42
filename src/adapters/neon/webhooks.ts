// Webhooks in Postgres: endpoints, keys, and deliveries. The rules are in schema.sql.
import type {
  DueWebhook,
  WebhookDelivery,
  WebhookEndpoint,
  WebhookKey,
  WebhookScope,
  Webhooks,
} from '../../ports/webhooks.ts'
import type { Database } from './database.ts'
import { isoTime } from './rows.ts'

export function neonWebhooks(database: Database): Webhooks {
  return { ...endpointRows(database), ...keyRows(database), ...deliveryRows(database) }
}

function endpointRows(database: Database) {
  return {
    async createEndpoint({ tenant, id }, { url, events, sealed }, most) {
      const parameters = { tenant, id, url, events, sealed, most }
      return maybeEndpoint(await database.call('create_endpoint_v1', parameters))
    },
    async endpoint({ tenant, id }) {
      const rows = await database.rows(
        'select recollect.endpoint_json_v1(e) as result from recollect.webhook_endpoints e where e.tenant = $1 and e.id = $2',
        [tenant, id],
      )
      return maybeEndpoint(rows[0]?.result)
    },
    async endpoints(tenant) {
      const rows = await database.rows(
        `select recollect.endpoint_json_v1(e) as result from recollect.webhook_endpoints e where e.tenant = $1
         order by e.created_at, e.id`,
        [tenant],
      )
      return rows.map(({ result }) => endpointOf(result as WebhookEndpoint))
    },
    async changeEndpoint({ tenant, id }, { url, events, disabled }) {
      return maybeEndpoint(await database.call('patch_endpoint_v1', { tenant, id, url, events, disabled }))
    },
    async deleteEndpoint({ tenant, id }) {
      return (await database.call('delete_endpoint_v1', { tenant, id })) === true
    },
    async rotateEndpoint({ tenant, id }, sealed, keepMs) {
      return maybeEndpoint(await database.call('rotate_endpoint_v1', { tenant, id, sealed, keepMs }))
    },
  } satisfies Partial<Webhooks>
}

function keyRows(database: Database) {
  return {
    async createKey({ tenant, id }, sealed, most) {
      const made = await database.call('create_webhook_key_v1', { tenant, id, sealed, most })
      return made ? keyOf(made as WebhookKey) : undefined
    },
    async keys(tenant) {
      const rows = await database.rows(
        `select json_build_object('id', k.id, 'sealed', k.sealed, 'createdAt', k.created_at) as result
         from recollect.webhook_keys k where k.tenant = $1 order by k.created_at, k.id`,
        [tenant],
      )
      return rows.map(({ result }) => keyOf(result as WebhookKey))
    },
    async deleteKey({ tenant, id }) {
      const text = 'delete from recollect.webhook_keys k where k.tenant = $1 and k.id = $2 returning 1 as result'
      return (await database.rows(text, [tenant, id])).length > 0
    },
  } satisfies Partial<Webhooks>
}

function deliveryRows(database: Database) {
  const columns = `json_build_object('id', d.id, 'webhook', d.webhook, 'event', d.event, 'attempt', d.attempt, 'outcome', d.outcome,
    'status', d.status, 'durationMs', d.duration_ms, 'error', d.error, 'at', d.at)`
  return {
    async take({ of, token, limit, leaseMs }) {
      const text = 'select recollect.take_webhooks_v1($1, $2, $3, $4, $5, $6) as result'
      const rows = await database.rows(text, [...scopeOf(of), token, limit, leaseMs])
      return rows.map(({ result }) => dueOf(result as DueRow))
    },
    async settle({ tenant, id, token }, fate) {
      const status = fate.outcome === 'postponed' ? 'pending' : fate.outcome
      const parameters = {
        ...{ tenant, id, token, status, dueInMs: fate.dueInMs, error: fate.error },
        ...{ delivery: fate.id, httpStatus: fate.status, durationMs: fate.durationMs, disable: fate.disables },
      }
      return (await database.call('settle_webhook_v1', parameters)) === true
    },
    async log(tenant, endpoint, { id, webhook, event, attempt, outcome, status, durationMs, error }) {
      const [row] = await database.rows(
        `insert into recollect.deliveries as d (tenant, endpoint, id, webhook, event, attempt, outcome, status, duration_ms, error)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (tenant, id) do update set attempt = excluded.attempt
         returning ${columns} as result`,
        [tenant, endpoint, id, webhook, event, attempt, outcome, status, durationMs, error],
      )
      return deliveryOf(row?.result as WebhookDelivery)
    },
    async deliveries({ tenant, id }, { limit, offset }) {
      const rows = await database.rows(
        `select ${columns} as result from recollect.deliveries d where d.tenant = $1 and d.endpoint = $2
         order by d.at desc, d.id limit $3 offset $4`,
        [tenant, id, limit, offset],
      )
      return rows.map(({ result }) => deliveryOf(result as WebhookDelivery))
    },
    async redeliver({ tenant, id: endpoint }, delivery) {
      const outcome = await database.call('redeliver_v1', { tenant, endpoint, delivery })
      return outcome as Awaited<ReturnType<Webhooks['redeliver']>>
    },
    async purge(olderThanMs) {
      await database.rows(
        `delete from recollect.deliveries where at < clock_timestamp() - $1 * interval '1 millisecond'`,
        [olderThanMs],
      )
    },
  } satisfies Partial<Webhooks>
}

function scopeOf(of: WebhookScope): readonly (string | null)[] {
  if (of === null) return [null, null, null]
  return 'run' in of ? [of.tenant, of.run, null] : [of.tenant, null, of.webhook]
}

interface DueRow extends Omit<DueWebhook, 'secrets'> {
  readonly secrets: readonly string[] | null
}

function dueOf(row: DueRow): DueWebhook {
  return { ...row, createdAt: isoTime(row.createdAt), secrets: row.secrets ?? [] }
}

function maybeEndpoint(row: unknown): WebhookEndpoint | undefined {
  return row ? endpointOf(row as WebhookEndpoint) : undefined
}

function endpointOf(row: WebhookEndpoint): WebhookEndpoint {
  const { disabledAt, createdAt } = row
  return { ...row, disabledAt: disabledAt && isoTime(disabledAt), createdAt: isoTime(createdAt) }
}

function keyOf(row: WebhookKey): WebhookKey {
  return { ...row, createdAt: isoTime(row.createdAt) }
}

function deliveryOf(row: WebhookDelivery): WebhookDelivery {
  return { ...row, at: isoTime(row.at) }
}
