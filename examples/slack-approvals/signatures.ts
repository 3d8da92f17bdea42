// Standard Webhooks by hand, in a page: any of its libraries does the same.

const encoder = new TextEncoder()

/** Whether recollect has signed exactly these bytes, not long ago. While a secret is replaced there are two signatures. */
export async function verified(headers: Headers, body: string, secret: string): Promise<boolean> {
  const id = headers.get('webhook-id') ?? ''
  const timestamp = headers.get('webhook-timestamp') ?? ''
  if (!isFresh(timestamp)) return false
  const expected = await signature(id, timestamp, body, secret)
  const given = (headers.get('webhook-signature') ?? '').split(' ')
  return given.some((one) => isSame(one, expected))
}

export async function signed(id: string, body: string, secret: string): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(Date.now() / 1_000))
  const made = await signature(id, timestamp, body, secret)
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': made }
}

async function signature(id: string, timestamp: string, body: string, secret: string): Promise<string> {
  const key = Uint8Array.from(atob(secret.replace(/^whsec_/, '')), (character) => character.charCodeAt(0))
  const bytes = await hmac(key, `${id}.${timestamp}.${body}`)
  return `v1,${btoa(String.fromCharCode(...bytes))}`
}

export async function hmac(secret: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', secret, algorithm, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(text)))
}

/** Five minutes, in either direction. */
export function isFresh(timestamp: string): boolean {
  return /^\d{1,12}$/.test(timestamp) && Math.abs(Date.now() / 1_000 - Number(timestamp)) <= 300
}

/** In the same time wherever they differ. */
export function isSame(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let index = 0; index < a.length; index++) difference |= a.charCodeAt(index) ^ b.charCodeAt(index)
  return difference === 0
}
