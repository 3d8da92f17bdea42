// Signatures of webhooks, in and out: Standard Webhooks 1.0 (https://www.standardwebhooks.com), HMAC-SHA256.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { RecollectError } from './errors.ts'

/** From now, in either direction. */
const toleranceMs = 5 * 60_000
const prefix = 'whsec_'

export interface WebhookHeaders {
  readonly 'webhook-id': string
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

/** `whsec_` and 24 to 64 bytes of base64: what a receiver and a sender share. */
export function isWebhookSecret(secret: string): boolean {
  const bytes = secret.startsWith(prefix) ? keyOf(secret).length : 0
  return bytes >= 24 && bytes <= 64 && /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(secret)
}

/** With several secrets, as while one takes the place of another, a signature of each. `body` goes out exactly as it is here. */
export function signWebhook(
  { id, body, nowMs }: { readonly id: string; readonly body: string; readonly nowMs: number },
  secrets: readonly string[],
): WebhookHeaders {
  const timestamp = String(Math.floor(nowMs / 1_000))
  const signatures = secrets.map(
    (secret) => `v1,${signatureOf(secret, `${id}.${timestamp}.`, body).toString('base64')}`,
  )
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}

/**
 * Gives the webhook's id if it was signed, by one of the secrets, over exactly these bytes, within five minutes of now. Throws
 * `signature_invalid`. An id is 1 to 256 visible characters without a dot or a comma: the signed text could be cut elsewhere,
 * and a header that came twice is one with a comma.
 */
export function verifyWebhook(
  headers: Headers,
  body: Uint8Array,
  secrets: readonly string[],
  nowMs: number = Date.now(),
): string {
  const id = headers.get('webhook-id') ?? ''
  const timestamp = headers.get('webhook-timestamp') ?? ''
  const signatures = headers.get('webhook-signature') ?? ''
  if (!/^[\x21-\x2b\x2d\x2f-\x7e]{1,256}$/.test(id)) throw invalid('has no usable webhook-id')
  if (!/^\d{1,12}$/.test(timestamp)) throw invalid('has no usable webhook-timestamp')
  if (Math.abs(nowMs - Number(timestamp) * 1_000) > toleranceMs) {
    throw invalid('has a webhook-timestamp more than five minutes from now')
  }
  const given = signatures.split(' ').flatMap((signature) => (signature.startsWith('v1,') ? [signature.slice(3)] : []))
  const fits = secrets.some((secret) => {
    const expected = signatureOf(secret, `${id}.${timestamp}.`, body)
    return given.some((text) => isEqual(Buffer.from(text, 'base64'), expected))
  })
  if (!fits) throw invalid('is not signed with a key of this tenant')
  return id
}

function signatureOf(secret: string, start: string, body: string | Uint8Array): Buffer {
  return createHmac('sha256', keyOf(secret)).update(start).update(body).digest()
}

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.slice(prefix.length), 'base64')
}

function isEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

function invalid(why: string): RecollectError {
  return new RecollectError('signature_invalid', `The webhook ${why}. Sign it as Standard Webhooks 1.0 says.`)
}
