// Seals cache entries, so that whoever reads or writes the Redis can neither read a thread nor pass one off as another.
import { base64Of, bytesOf } from '../../kernel/base64.ts'
import type { CacheEntry, CacheKey } from '../../ports/cache.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const nonceBytes = 12

/** Bound to one thread of one tenant on one database: an entry moved elsewhere does not open. */
export interface Seal {
  /** The Redis key; it names nobody. */
  readonly name: string
  /** `seq.hash.parent.` and base64 of nonce and AES-GCM ciphertext. */
  close(entry: CacheEntry, parentHash: string): Promise<string>
  /** `undefined` for anything that was not sealed with this secret for this thread, after this parent. */
  open(element: string, parentHash: string | undefined): Promise<CacheEntry | undefined>
}

/** `secret`: any text of 32 characters or more. `database`: what tells two databases apart. */
export async function sealFor(secret: string, database: string, { tenant, thread, owner }: CacheKey): Promise<Seal> {
  const place = JSON.stringify([database, tenant, thread, owner])
  const master = await crypto.subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, [
    'deriveKey',
    'deriveBits',
  ])
  const derivation = (purpose: string) => ({
    name: 'HKDF',
    hash: 'SHA-256',
    salt: encoder.encode('recollect.cache'),
    info: encoder.encode(JSON.stringify([purpose, place])),
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
    async close({ seq, hash, text }, parentHash) {
      const header = `${seq}.${hash}.${parentHash}.`
      const iv = crypto.getRandomValues(new Uint8Array(nonceBytes))
      const sealed = await crypto.subtle.encrypt(algorithm(iv, header), key, encoder.encode(text))
      const bytes = new Uint8Array(nonceBytes + sealed.byteLength)
      bytes.set(iv)
      bytes.set(new Uint8Array(sealed), nonceBytes)
      return header + base64Of(bytes)
    },
    async open(element, parentHash) {
      const [, header, seq, hash, parent, body] = /^((\d+)\.([\w-]*)\.([\w-]*)\.)(.*)$/s.exec(element) ?? []
      if (header === undefined || hash === undefined || body === undefined) return undefined
      if (parentHash !== undefined && parent !== parentHash) return undefined
      try {
        const bytes = bytesOf(body)
        const opened = algorithm(bytes.subarray(0, nonceBytes), header)
        const text = await crypto.subtle.decrypt(opened, key, bytes.subarray(nonceBytes))
        return { seq: Number(seq), hash, text: decoder.decode(text) }
      } catch {
        return undefined
      }
    },
  }
}
