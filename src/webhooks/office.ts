// A tenant's webhooks, in and out: endpoints that are told of what happens, with secrets that are sealed, and keys of its own.
import { base64Of } from '../kernel/base64.ts'
import { RecollectError } from '../kernel/errors.ts'
import { randomId } from '../kernel/id.ts'
import { assertPublicUrl } from '../kernel/public-url.ts'
import { Derivation } from '../kernel/seal.ts'
import type {
  EndpointChange,
  TenantKey,
  WebhookDelivery,
  WebhookEndpoint,
  WebhookEvent,
  WebhookKey,
  WebhookScope,
  Webhooks,
} from '../ports/webhooks.ts'
import type { DeliveryResult } from '../runtime/delivery.ts'
import { deliverWebhooks, testEndpoint } from './delivery.ts'

export interface WebhookOptions {
  /** `checkpointer.webhooks`. */
  readonly store: Webhooks
  /** Seals what is signed with; 32 characters or more. With another, endpoints must be rotated and keys be made again. */
  readonly secret: string
  /** Where a person reads what is asked in full, and decides; told with `approval.requested`. Nothing is told of it unless given. */
  readonly reviewUrl?: (approval: AskedApproval) => Promise<string>
  /** Local use alone: http, and addresses of this machine and its network, are called too. */
  readonly anywhere?: boolean
  /** In the place of the global one. */
  readonly fetch?: typeof fetch
}

export interface AskedApproval {
  readonly tenant: string
  readonly id: string
  readonly thread: string
  readonly run: string
  /** ISO 8601; `null`: never. */
  readonly expiresAt: string | null
}

/** How many a tenant may have of endpoints, and of keys. */
const most = 50
const rotationMs = 86_400_000

/** `new WebhookOffice({ store: checkpointer.webhooks, secret })`: give it to `compile`, `serve` and `sweep` as `webhooks`. */
export class WebhookOffice {
  readonly store: Webhooks
  readonly options: WebhookOptions

  /** Throws `environment_invalid` for a secret that is too short. */
  constructor(options: WebhookOptions) {
    if (options.secret.length < 32) {
      throw new RecollectError('environment_invalid', 'The secret of webhooks must have 32 characters or more.')
    }
    this.store = options.store
    this.options = options
  }

  /** What a tenant's incoming webhooks may be signed with, each `whsec_…`. */
  async keys(tenant: string): Promise<readonly string[]> {
    const keys = await this.store.keys(tenant)
    return this.#opened(keys.map(({ id, sealed }) => ({ tenant, id, sealed })))
  }

  /** The secret is nowhere else to be had. Throws `webhook_limit`. */
  async createKey(tenant: string): Promise<{ readonly key: WebhookKey; readonly secret: string }> {
    const id = freshId('wk')
    const { secret, sealed } = await this.#freshSecret({ tenant, id })
    const key = await this.store.createKey({ tenant, id }, sealed, most)
    if (key === undefined) throw tooMany('keys')
    return { key, secret }
  }

  /** The secret is nowhere else to be had. Throws `input_invalid` for a URL that is not called, and `webhook_limit`. */
  async createEndpoint(
    tenant: string,
    { url, events }: { readonly url: string; readonly events: readonly WebhookEvent[] },
  ): Promise<{ readonly endpoint: WebhookEndpoint; readonly secret: string }> {
    assertPublicUrl(url, this.options)
    const id = freshId('we')
    const { secret, sealed } = await this.#freshSecret({ tenant, id })
    const endpoint = await this.store.createEndpoint({ tenant, id }, { url, events, sealed }, most)
    if (endpoint === undefined) throw tooMany('endpoints')
    return { endpoint, secret }
  }

  /** Throws `input_invalid` for a URL that is not called, and `webhook_unknown`. */
  async changeEndpoint(key: TenantKey, change: EndpointChange): Promise<WebhookEndpoint> {
    if (change.url !== undefined) assertPublicUrl(change.url, this.options)
    return known(key, await this.store.changeEndpoint(key, change))
  }

  /** A new secret, shown once; what is sent is signed with the one before too for 24 hours. Throws `webhook_unknown`. */
  async rotateEndpoint(key: TenantKey): Promise<{ readonly endpoint: WebhookEndpoint; readonly secret: string }> {
    const { secret, sealed } = await this.#freshSecret(key)
    return { endpoint: known(key, await this.store.rotateEndpoint(key, sealed, rotationMs)), secret }
  }

  /** Throws `webhook_unknown`. */
  async endpoint(key: TenantKey): Promise<WebhookEndpoint> {
    return known(key, await this.store.endpoint(key))
  }

  /** Of an endpoint, those that can be opened, newest first. */
  secretsOf(tenant: string, id: string, sealed: readonly string[]): Promise<readonly string[]> {
    return this.#opened(sealed.map((text) => ({ tenant, id, sealed: text })))
  }

  /** What is due of `of`, until nothing is or `untilMs`, by `performance.now()`, has come. Throws when storage is away. */
  deliver(of: WebhookScope, untilMs?: number): Promise<DeliveryResult> {
    return deliverWebhooks(this, of, untilMs)
  }

  /** Sends `webhook.test` once, and tells how it went. It is in the log, and not in the outbox. Throws `webhook_unknown`. */
  test(key: TenantKey): Promise<WebhookDelivery> {
    return testEndpoint(this, key)
  }

  /** Makes a delivery due again, under the same id, and gives that. Throws `webhook_unknown` and `webhook_disabled`. */
  async redeliver(key: TenantKey, delivery: string): Promise<string> {
    const found = await this.store.redeliver(key, delivery)
    if (found.outcome === 'due') return found.webhook
    if (found.outcome === 'unknown') {
      throw new RecollectError('webhook_unknown', `There is no delivery "${delivery}" whose webhook is still kept.`)
    }
    throw new RecollectError('webhook_disabled', `Endpoint "${key.id}" is disabled: enable it first.`)
  }

  async #freshSecret(key: TenantKey): Promise<{ readonly secret: string; readonly sealed: string }> {
    const secret = `whsec_${base64Of(crypto.getRandomValues(new Uint8Array(32)))}`
    return { secret, sealed: await (await this.#seal(key)).close('', secret) }
  }

  /** What was sealed with another secret, or moved here from elsewhere, is left out. */
  async #opened(sealed: readonly (TenantKey & { readonly sealed: string })[]): Promise<readonly string[]> {
    const opened = await Promise.all(sealed.map(async (one) => (await this.#seal(one)).open('', one.sealed)))
    return opened.filter((secret) => secret !== undefined)
  }

  async #seal({ tenant, id }: TenantKey) {
    return (await Derivation.from(this.options.secret, 'webhooks', [tenant, id])).seal()
  }
}

function freshId(prefix: string): string {
  return `${prefix}_${randomId().replaceAll('-', '')}`
}

export function unknownEndpoint(id: string): RecollectError {
  return new RecollectError('webhook_unknown', `There is no endpoint "${id}".`)
}

function known({ id }: TenantKey, endpoint: WebhookEndpoint | undefined): WebhookEndpoint {
  if (endpoint === undefined) throw unknownEndpoint(id)
  return endpoint
}

function tooMany(what: string): RecollectError {
  return new RecollectError('webhook_limit', `A tenant has at most ${most} ${what}. Delete one first.`)
}
