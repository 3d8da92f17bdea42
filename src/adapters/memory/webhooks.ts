// Webhooks in the in-memory database: endpoints, keys, and deliveries. The same outcomes as Postgres, asked in the same order.
import type {
  DueWebhook,
  EndpointChange,
  NewDelivery,
  TakeWebhooks,
  TenantKey,
  WebhookDelivery,
  WebhookEndpoint,
  WebhookEvent,
  WebhookFate,
  WebhookKey,
  WebhookScope,
  Webhooks,
} from '../../ports/webhooks.ts'
import type { StoredEndpoint, StoredMessage, Tables } from './tables.ts'

const mostSecrets = 3

export class MemoryWebhooks implements Webhooks {
  readonly #tables: Tables
  readonly #now: () => number

  constructor(tables: Tables, now: () => number) {
    this.#tables = tables
    this.#now = now
  }

  async createEndpoint(
    { tenant, id }: TenantKey,
    { url, events, sealed }: { url: string; events: readonly WebhookEvent[]; sealed: string },
    most: number,
  ): Promise<WebhookEndpoint | undefined> {
    if (this.#endpointsOf(tenant).length >= most) return undefined
    const state = { failures: 0, disabledAt: null, disabledReason: null, createdAt: this.#timestamp() }
    const secrets = [{ sealed, untilMs: Number.POSITIVE_INFINITY }]
    this.#tables.endpoints.add({ tenant, record: { id, url, events, ...state }, secrets })
    return this.endpoint({ tenant, id })
  }

  async endpoint(key: TenantKey): Promise<WebhookEndpoint | undefined> {
    const stored = this.#find(key)
    return stored && this.#view(stored)
  }

  async endpoints(tenant: string): Promise<readonly WebhookEndpoint[]> {
    return this.#endpointsOf(tenant).map((stored) => this.#view(stored))
  }

  async changeEndpoint(key: TenantKey, { url, events, disabled }: EndpointChange) {
    const stored = this.#find(key)
    if (stored === undefined) return undefined
    if (disabled) this.#disable(stored, 'by an operator')
    stored.record = {
      ...stored.record,
      ...(url !== undefined && { url, failures: 0 }),
      ...(events !== undefined && { events }),
      ...(disabled === false && { disabledAt: null, disabledReason: null, failures: 0 }),
    }
    return this.#view(stored)
  }

  async deleteEndpoint(key: TenantKey): Promise<boolean> {
    const stored = this.#find(key)
    if (stored === undefined) return false
    this.#tables.endpoints.delete(stored)
    const { messages, deliveries } = this.#tables
    for (const message of messages) if (message.endpoint === stored) messages.delete(message)
    for (const delivery of this.#deliveriesOf(key)) deliveries.delete(delivery)
    return true
  }

  async rotateEndpoint(key: TenantKey, sealed: string, keepMs: number) {
    const stored = this.#find(key)
    if (stored === undefined) return undefined
    const endsAtMs = this.#now() + keepMs
    const kept = stored.secrets.map((old) => ({ ...old, untilMs: Math.min(old.untilMs, endsAtMs) }))
    stored.secrets = [{ sealed, untilMs: Number.POSITIVE_INFINITY }, ...kept].slice(0, mostSecrets)
    return this.#view(stored)
  }

  async createKey({ tenant, id }: TenantKey, sealed: string, most: number): Promise<WebhookKey | undefined> {
    if ((await this.keys(tenant)).length >= most) return undefined
    const key = { id, sealed, createdAt: this.#timestamp() }
    this.#tables.webhookKeys.add({ tenant, ...key })
    return key
  }

  async keys(tenant: string): Promise<readonly WebhookKey[]> {
    return [...this.#tables.webhookKeys].filter((key) => key.tenant === tenant).map(({ tenant: _, ...key }) => key)
  }

  async deleteKey({ tenant, id }: TenantKey): Promise<boolean> {
    const found = [...this.#tables.webhookKeys].find((key) => key.tenant === tenant && key.id === id)
    return found !== undefined && this.#tables.webhookKeys.delete(found)
  }

  async take({ of, token, limit, leaseMs }: TakeWebhooks): Promise<readonly DueWebhook[]> {
    const now = this.#now()
    const ready = [...this.#tables.endpoints].flatMap((endpoint) => {
      const pending = [...this.#tables.messages].filter((m) => m.endpoint === endpoint && m.status === 'pending')
      const held = of === null && pending.some((message) => message.token !== undefined && message.dueAtMs > now)
      const trusted = endpoint.record.failures === 0 || of === null || !('run' in of)
      if (held || !trusted || endpoint.record.disabledAt !== null) return []
      const due = pending.filter((message) => message.dueAtMs <= now && isOf(message, of))
      return due.sort((a, b) => a.dueAtMs - b.dueAtMs).slice(0, 1)
    })
    const failing = ({ endpoint }: StoredMessage) => Number((endpoint?.record.failures ?? 0) > 0)
    ready.sort((a, b) => failing(a) - failing(b) || a.dueAtMs - b.dueAtMs)
    return ready.slice(0, limit).flatMap((stored) => {
      stored.message = { ...stored.message, attempt: stored.message.attempt + 1 }
      stored.token = token
      stored.dueAtMs = now + leaseMs
      const { tenant, id, thread, topic: event, payload: data, attempt, createdAt } = stored.message
      if (stored.endpoint === undefined) return []
      const { id: endpoint, url, secrets } = this.#view(stored.endpoint)
      return [{ tenant, id, thread, event, data, attempt, createdAt, endpoint, url, secrets }]
    })
  }

  async settle({ tenant, id, token }: { tenant: string; id: string; token: string }, fate: WebhookFate) {
    const stored = this.#message(tenant, id)
    if (stored?.endpoint === undefined || stored.status !== 'pending' || stored.token !== token) return false
    const { endpoint, message } = stored
    const { dueInMs, disables, ...made } = fate
    stored.status = fate.outcome === 'postponed' ? 'pending' : fate.outcome
    stored.token = undefined
    if (dueInMs !== null) stored.dueAtMs = this.#now() + dueInMs
    if (stored.status !== 'pending') stored.settledAtMs = this.#now()
    const { topic: event, attempt } = message
    await this.log(tenant, endpoint.record.id, { ...made, webhook: id, event, attempt })
    const failures = fate.outcome === 'delivered' ? 0 : endpoint.record.failures + 1
    endpoint.record = { ...endpoint.record, failures }
    if (disables) this.#disable(endpoint, fate.error ?? '')
    return true
  }

  async log(tenant: string, endpoint: string, delivery: NewDelivery): Promise<WebhookDelivery> {
    const noted = { ...delivery, at: this.#timestamp() }
    this.#tables.deliveries.add({ tenant, endpoint, ...noted })
    return noted
  }

  async deliveries(key: TenantKey, { limit, offset }: { limit: number; offset: number }) {
    const made = this.#deliveriesOf(key).reverse()
    return made.slice(offset, offset + limit).map(({ tenant: _, endpoint: __, ...delivery }) => delivery)
  }

  async redeliver(key: TenantKey, delivery: string) {
    const webhook = this.#deliveriesOf(key).find(({ id }) => id === delivery)?.webhook
    const stored = webhook === undefined ? undefined : this.#message(key.tenant, webhook)
    if (webhook === undefined || stored === undefined) return { outcome: 'unknown' } as const
    if (stored.endpoint?.record.disabledAt !== null) return { outcome: 'disabled' } as const
    // One that is on its way just now comes to its own end.
    if (stored.token === undefined || stored.dueAtMs <= this.#now()) {
      const attempt = stored.status === 'pending' ? stored.message.attempt : 0
      stored.message = { ...stored.message, attempt }
      stored.status = 'pending'
      stored.dueAtMs = this.#now()
      stored.settledAtMs = undefined
    }
    return { outcome: 'due', webhook } as const
  }

  async purge(olderThanMs: number): Promise<void> {
    const before = new Date(this.#now() - olderThanMs).toISOString()
    const { deliveries } = this.#tables
    for (const delivery of deliveries) if (delivery.at < before) deliveries.delete(delivery)
  }

  #disable(endpoint: StoredEndpoint, disabledReason: string): void {
    for (const message of this.#tables.messages) {
      if (message.endpoint !== endpoint || message.status !== 'pending') continue
      Object.assign(message, { status: 'failed', token: undefined, settledAtMs: this.#now() })
    }
    if (endpoint.record.disabledAt !== null) return
    endpoint.record = { ...endpoint.record, disabledAt: this.#timestamp(), disabledReason }
  }

  #endpointsOf(tenant: string): StoredEndpoint[] {
    return [...this.#tables.endpoints].filter((stored) => stored.tenant === tenant)
  }

  #find({ tenant, id }: TenantKey): StoredEndpoint | undefined {
    return this.#endpointsOf(tenant).find(({ record }) => record.id === id)
  }

  #message(tenant: string, id: string): StoredMessage | undefined {
    return [...this.#tables.messages].find(({ message }) => message.tenant === tenant && message.id === id)
  }

  #deliveriesOf({ tenant, id }: TenantKey) {
    return [...this.#tables.deliveries].filter((delivery) => delivery.tenant === tenant && delivery.endpoint === id)
  }

  #view({ record, secrets }: StoredEndpoint): WebhookEndpoint {
    const live = secrets.filter(({ untilMs }) => untilMs > this.#now())
    return { ...record, secrets: live.map(({ sealed }) => sealed) }
  }

  #timestamp(): string {
    return new Date(this.#now()).toISOString()
  }
}

function isOf({ message }: StoredMessage, of: WebhookScope): boolean {
  if (of === null) return true
  return message.tenant === of.tenant && ('run' in of ? message.run === of.run : message.id === of.webhook)
}
