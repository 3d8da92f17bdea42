// Seals what is kept in Redis, so that whoever reads or writes there can neither read a thread nor pass one off as another.
import { base64Of, bytesOf } from '../../kernel/base64.ts'
import { RecollectError } from '../../kernel/errors.ts'
import type { CacheKey } from '../../ports/cache.ts'
import type { UpstashAddress } from './client.ts'

export interface SealOptions extends UpstashAddress {
  /** Seals the entries; 32 characters or more. With another secret everything kept is a miss. */
  readonly secret: string
  /** What tells this database from others, so that two deployments on one Redis never mix. */
  readonly database: string
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const nonceBytes = 12

/** Bound to one thread of one tenant on one database: an element moved elsewhere does not open. */
export interface Seal {
  /** The Redis key; it names nobody. */
  readonly name: string
  /** The header, and base64 of nonce and AES-GCM ciphertext. The header is readable, and sealed with the text. */
  close(header: string, text: string): Promise<string>
  /** `undefined` for anything that was not sealed with this secret for this thread, under this header. */
  open(header: string, body: string): Promise<string | undefined>
}

/** Throws `environment_invalid`. */
export function assertSecret(secret: string): void {
  if (secret.length >= 32) return
  throw new RecollectError('environment_invalid', 'The secret of the cache must have 32 characters or more.')
}

/** `purpose` keeps apart what is kept of one thread for several ends. */
export async function sealFor(
  { secret, database }: SealOptions,
  { tenant, thread, owner }: CacheKey,
  purpose: 'cache' | 'events',
): Promise<Seal> {
  const place = JSON.stringify([database, tenant, thread, owner])
  const master = await crypto.subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, [
    'deriveKey',
    'deriveBits',
  ])
  const derivation = (part: string) => ({
    name: 'HKDF',
    hash: 'SHA-256',
    salt: encoder.encode(`recollect.${purpose}`),
    info: encoder.encode(JSON.stringify([part, place])),
  })
  const [nameBits, key] = await Promise.all([
    crypto.subtle.deriveBits(derivation('name'), master, 192),
    crypto.subtle.deriveKey(derivation('key'), master, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']),
  ])
  const algorithm = (iv: Uint8Array<ArrayBuffer>, header: string) => ({
    name: 'AES-GCM',
    iv,
    additionalData: encoder.encode(header + place),
  })
  return {
    name: `recollect:${base64Of(new Uint8Array(nameBits)).replace(/[+/]/g, (mark) => (mark === '+' ? '-' : '_'))}`,
    async close(header, text) {
      const iv = crypto.getRandomValues(new Uint8Array(nonceBytes))
      const sealed = await crypto.subtle.encrypt(algorithm(iv, header), key, encoder.encode(text))
      const bytes = new Uint8Array(nonceBytes + sealed.byteLength)
      bytes.set(iv)
      bytes.set(new Uint8Array(sealed), nonceBytes)
      return header + base64Of(bytes)
    },
    async open(header, body) {
      try {
        const bytes = bytesOf(body)
        const opened = algorithm(bytes.subarray(0, nonceBytes), header)
        return decoder.decode(await crypto.subtle.decrypt(opened, key, bytes.subarray(nonceBytes)))
      } catch {
        return undefined
      }
    },
  }
}
