// The port to webhooks: where a tenant is told of what happens, what it signs its own with, and what became of each delivery.

/**
 * `approval.requested`: a run asks a person. `run.finished`, `run.failed`: it has ended; one that was cancelled is told of by
 * neither. Each is put in the outbox with the write that makes it true.
 */
export const webhookEvents = ['approval.requested', 'run.finished', 'run.failed'] as const

export type WebhookEvent = (typeof webhookEvents)[number]

export interface WebhookEndpoint {
  readonly id: string
  readonly url: string
  readonly events: readonly WebhookEvent[]
  /** Attempts that failed since the last that succeeded. */
  readonly failures: number
  /** Sealed, those that are still good, newest first. */
  readonly secrets: readonly string[]
  /** ISO 8601; `null`: it is told. */
  readonly disabledAt: string | null
  /** In our own words; `null`: it is told. */
  readonly disabledReason: string | null
  /** ISO 8601. */
  readonly createdAt: string
}

export interface WebhookKey {
  readonly id: string
  /** What the tenant signs with, sealed. */
  readonly sealed: string
  /** ISO 8601. */
  readonly createdAt: string
}

/** One attempt to deliver a webhook. */
export interface WebhookDelivery {
  readonly id: string
  /** The webhook's id, the same in all its attempts. */
  readonly webhook: string
  /** One of {@link WebhookEvent}, or `webhook.test`. */
  readonly event: string
  /** From 1. */
  readonly attempt: number
  /** `postponed`: to be tried again. */
  readonly outcome: 'delivered' | 'postponed' | 'failed'
  /** HTTP; `null`: none came back. */
  readonly status: number | null
  readonly durationMs: number
  /** In our own words; `null`: it was delivered. */
  readonly error: string | null
  /** ISO 8601. */
  readonly at: string
}

export type NewDelivery = Omit<WebhookDelivery, 'at'>

/** A webhook that is lent to whoever delivers it. */
export interface DueWebhook {
  readonly tenant: string
  readonly id: string
  readonly thread: string
  readonly event: string
  /** JSON; the payload in that of an approval is encoded. */
  readonly data: string
  /** Which attempt this is, from 1. */
  readonly attempt: number
  /** ISO 8601. */
  readonly createdAt: string
  /** The endpoint's id. */
  readonly endpoint: string
  readonly url: string
  /** The endpoint's, sealed, newest first. */
  readonly secrets: readonly string[]
}

/** `null`: of all tenants. Of one run: to receivers that answered last time; the others are left to the cron. */
export type WebhookScope =
  | { readonly tenant: string; readonly run: string }
  | { readonly tenant: string; readonly webhook: string }
  | null

export interface TakeWebhooks {
  readonly of: WebhookScope
  /** Random, this attempt's own. */
  readonly token: string
  readonly limit: number
  readonly leaseMs: number
}

export interface WebhookFate extends Pick<NewDelivery, 'id' | 'outcome' | 'status' | 'durationMs' | 'error'> {
  /** Until what is postponed is tried again; `null` for what is not. */
  readonly dueInMs: number | null
  /** Whether the endpoint is told no more: the receiver wants it so. */
  readonly disables: boolean
}

export interface EndpointChange {
  readonly url?: string
  readonly events?: readonly WebhookEvent[]
  /** False enables it, and forgets its failures. */
  readonly disabled?: boolean
}

/** Of an endpoint, or of a key. */
export interface TenantKey {
  readonly tenant: string
  readonly id: string
}

/** Every method throws as the `Checkpointer` does. `undefined`, or false: there is none of this tenant, unless it says otherwise. */
export interface Webhooks {
  /** `undefined`: the tenant has `most` of them already. */
  createEndpoint(
    key: TenantKey,
    endpoint: { readonly url: string; readonly events: readonly WebhookEvent[]; readonly sealed: string },
    most: number,
  ): Promise<WebhookEndpoint | undefined>
  endpoint(key: TenantKey): Promise<WebhookEndpoint | undefined>
  /** Oldest first. */
  endpoints(tenant: string): Promise<readonly WebhookEndpoint[]>
  /** What waits for an endpoint that is disabled has failed; enabled again, it is told of what happens from then on. */
  changeEndpoint(key: TenantKey, change: EndpointChange): Promise<WebhookEndpoint | undefined>
  /** With all that waits for it, and its log. */
  deleteEndpoint(key: TenantKey): Promise<boolean>
  /** The secrets before it are good for `keepMs` more; three at most are kept. */
  rotateEndpoint(key: TenantKey, sealed: string, keepMs: number): Promise<WebhookEndpoint | undefined>
  /** `undefined`: the tenant has `most` of them already. */
  createKey(key: TenantKey, sealed: string, most: number): Promise<WebhookKey | undefined>
  /** Oldest first. */
  keys(tenant: string): Promise<readonly WebhookKey[]>
  deleteKey(key: TenantKey): Promise<boolean>
  /** Lends webhooks that are due, those of receivers that answered last time first. Of all tenants: one of an endpoint at a time. */
  take(request: TakeWebhooks): Promise<readonly DueWebhook[]>
  /** For the outbox, the log and the endpoint. False: it was settled, another attempt has begun, or it is wanted no more. */
  settle(
    webhook: { readonly tenant: string; readonly id: string; readonly token: string },
    fate: WebhookFate,
  ): Promise<boolean>
  /** Notes a delivery that went past the outbox. */
  log(tenant: string, endpoint: string, delivery: NewDelivery): Promise<WebhookDelivery>
  /** Newest first. */
  deliveries(
    endpoint: TenantKey,
    page: { readonly limit: number; readonly offset: number },
  ): Promise<readonly WebhookDelivery[]>
  /** Makes a delivery due again: one that has come to its end from its first attempt on. `unknown`: it is not kept any more. */
  redeliver(
    endpoint: TenantKey,
    delivery: string,
  ): Promise<{ readonly outcome: 'due'; readonly webhook: string } | { readonly outcome: 'disabled' | 'unknown' }>
  /** Forgets deliveries made longer ago. */
  purge(olderThanMs: number): Promise<void>
}
