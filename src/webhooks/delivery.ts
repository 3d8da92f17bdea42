// Delivers webhooks, by Standard Webhooks 1.0: signed, at least once, with one id, and never at the cost of others.
//
// A receiver may hang, answer with errors, redirect or be gone: it holds up what is meant for it alone. The sweep is lent one webhook
// of an endpoint at a time, and those of receivers that answered last time first; a run tells none that did not; an attempt ends.
import { isRecollectError } from '../kernel/errors.ts'
import { randomId } from '../kernel/id.ts'
import { decode } from '../kernel/json.ts'
import { plainText } from '../kernel/plain-json.ts'
import { assertPublicUrl } from '../kernel/public-url.ts'
import { signWebhook } from '../kernel/webhook.ts'
import type {
  DueWebhook,
  NewDelivery,
  TenantKey,
  WebhookDelivery,
  WebhookFate,
  WebhookScope,
} from '../ports/webhooks.ts'
import { type DeliveryResult, inTime, pauseAfter } from '../runtime/delivery.ts'
import { resend } from '../runtime/resend.ts'
import type { WebhookOffice } from './office.ts'

/** At once in one isolate: six connections is what a Worker has. */
const atOnce = 4
const timeoutMs = 15_000
const leaseMs = 60_000
const settlePatienceMs = 5_000
/** What a receiver may ask us to wait. */
const longestPauseMs = 86_400_000

/** Goes on until nothing of `of` is due or `untilMs`, by `performance.now()`, has come. Throws when storage is away. */
export async function deliverWebhooks(
  office: WebhookOffice,
  of: WebhookScope,
  untilMs = Number.POSITIVE_INFINITY,
): Promise<DeliveryResult> {
  const counts = { delivered: 0, postponed: 0, failed: 0 }
  const underway = new Set<Promise<void>>()
  const begin = (webhook: DueWebhook, token: string) => {
    const work = settled(office, webhook, token).then((outcome) => {
      counts[outcome]++
      underway.delete(work)
    })
    underway.add(work)
  }
  while (performance.now() < untilMs) {
    const token = randomId()
    const due = await office.store.take({ of, token, limit: atOnce - underway.size, leaseMs })
    for (const webhook of due) begin(webhook, token)
    if (underway.size === 0) break
    // Whoever is done first makes room, and frees its endpoint for the next.
    await Promise.race(underway)
  }
  await Promise.all(underway)
  return counts
}

/** Sends `webhook.test` once, and tells how it went. It is in the log, and not in the outbox. */
export async function testEndpoint(office: WebhookOffice, key: TenantKey): Promise<WebhookDelivery> {
  const { url, secrets } = await office.endpoint(key)
  const webhook: DueWebhook = {
    ...{
      tenant: key.tenant,
      id: `msg_${randomId().replaceAll('-', '')}`,
      thread: '',
      event: 'webhook.test',
      data: '{}',
    },
    ...{ attempt: 1, createdAt: new Date().toISOString(), endpoint: key.id, url, secrets },
  }
  const { status, durationMs, error } = await attempt(office, webhook)
  const outcome = error === null ? 'delivered' : 'failed'
  const made: NewDelivery = {
    ...{ id: deliveryId(), webhook: webhook.id, event: webhook.event, attempt: 1, outcome, status, durationMs, error },
  }
  return office.store.log(key.tenant, key.id, made)
}

async function settled(office: WebhookOffice, webhook: DueWebhook, token: string): Promise<WebhookFate['outcome']> {
  const { status, durationMs, error, ...hint } = await attempt(office, webhook)
  const ends = hint.final || status === 410
  const pauseMs = error === null || ends ? undefined : pauseAfter(webhook.attempt, hint.retryAfterMs)
  const outcome = error === null ? 'delivered' : pauseMs === undefined ? 'failed' : 'postponed'
  const fate = {
    id: deliveryId(),
    outcome,
    status,
    durationMs,
    error,
    dueInMs: pauseMs ?? null,
    disables: status === 410,
  } as const
  // Not settled: it is delivered again.
  await resend(() => office.store.settle({ ...webhook, token }, fate), settlePatienceMs).catch(() => {})
  return outcome
}

interface Attempt extends Pick<WebhookFate, 'status' | 'durationMs' | 'error'> {
  /** No other attempt can help. */
  readonly final?: boolean
  readonly retryAfterMs?: number
}

/** Never rejects. Of what the receiver said nothing is kept. */
async function attempt(office: WebhookOffice, webhook: DueWebhook): Promise<Attempt> {
  const startedAt = performance.now()
  const ended = (rest: Omit<Attempt, 'durationMs'>): Attempt => ({
    ...{ ...rest, durationMs: Math.round(performance.now() - startedAt) },
  })
  try {
    // Again, as the row may be older than the rule.
    assertPublicUrl(webhook.url, office.options)
    const secrets = await office.secretsOf(webhook.tenant, webhook.endpoint, webhook.secrets)
    if (secrets.length === 0) {
      return ended({ status: null, error: 'Its secret was sealed with another RECOLLECT_SECRET: rotate the endpoint.' })
    }
    const body = await bodyOf(office, webhook)
    const response = await inTime(timeoutMs, (signal) => post(office, webhook, { body, secrets, signal }))
    return ended(verdict(response))
  } catch (error) {
    if (isRecollectError(error)) return ended({ status: null, error: error.message, final: !error.retryable })
    const name = error instanceof Error ? error.name : typeof error
    return ended({
      status: null,
      error: name === 'TimeoutError' ? 'It did not answer in 15 s.' : `It could not be reached (${name}).`,
    })
  }
}

async function post(
  { options: { fetch: send = fetch } }: WebhookOffice,
  { id, url }: DueWebhook,
  {
    body,
    secrets,
    signal,
  }: { readonly body: string; readonly secrets: readonly string[]; readonly signal: AbortSignal },
): Promise<{ readonly status: number; readonly retryAfter: string | null }> {
  const signature = signWebhook({ id, body, nowMs: Date.now() }, secrets)
  const headers = { 'content-type': 'application/json', 'user-agent': 'recollect', ...signature }
  const {
    status,
    headers: said,
    body: rest,
  } = await send(url, { method: 'POST', headers, body, redirect: 'manual', signal })
  // However long it is, nobody reads it.
  await rest?.cancel().catch(() => {})
  return { status, retryAfter: said.get('retry-after') }
}

function verdict({ status, retryAfter }: { readonly status: number; readonly retryAfter: string | null }) {
  if (status >= 200 && status < 300) return { status, error: null }
  if (status === 410) return { status, error: 'It answered 410: it wants no more.' }
  if (status === 0 || (status >= 300 && status < 400)) {
    return { status: status || null, error: 'It redirects, which is not followed.' }
  }
  const retryAfterMs = status === 429 || status === 503 ? pauseOf(retryAfter) : undefined
  return { status, error: `It answered ${status}.`, ...(retryAfterMs !== undefined && { retryAfterMs }) }
}

/** Seconds, or a date. */
function pauseOf(retryAfter: string | null): number | undefined {
  if (retryAfter === null) return undefined
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - Date.now()
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, longestPauseMs) : undefined
}

interface AskedData {
  readonly thread_id: string
  readonly run_id: string
  readonly approval?: { readonly id: string; readonly payload: string | null; readonly expires_at: string | null }
}

/** `{ type, timestamp, data }`. */
async function bodyOf({ options: { reviewUrl } }: WebhookOffice, webhook: DueWebhook): Promise<string> {
  const { tenant, event: type, createdAt: timestamp } = webhook
  const data: AskedData = JSON.parse(webhook.data)
  if (data.approval === undefined) return JSON.stringify({ type, timestamp, data })
  const { id, payload, expires_at } = data.approval
  const expiresAt = expires_at && new Date(expires_at).toISOString()
  const shown = payload === null ? { payload, payload_omitted: true } : { payload: decode(payload) }
  const asked = { tenant, id, thread: data.thread_id, run: data.run_id, expiresAt }
  const review = reviewUrl && { review_url: await reviewUrl(asked) }
  const approval = { ...data.approval, expires_at: expiresAt, ...shown }
  return plainText({ type, timestamp, data: { ...data, approval, ...review } })
}

function deliveryId(): string {
  return `wd_${randomId().replaceAll('-', '')}`
}
