// Sealing of what is kept where others may read or write: AES-GCM under a key of its own, derived from one secret.
import { base64Of, bytesOf } from './base64.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const nonceBytes = 12

/** Bound to one place: what is moved elsewhere does not open. */
export interface Seal {
  /** The header, and base64 of nonce and ciphertext. The header is readable, and sealed with the text. */
  close(header: string, text: string): Promise<string>
  /** `undefined` for anything that was not sealed with this secret, for this place, under this header. */
  open(header: string, body: string): Promise<string | undefined>
}

/** HKDF of a secret: `purpose` and `place` keep apart what is sealed for several ends, and of several owners. */
export class Derivation {
  readonly #master: CryptoKey
  readonly #salt: Uint8Array<ArrayBuffer>
  readonly #place: string

  private constructor(master: CryptoKey, purpose: string, place: string) {
    this.#master = master
    this.#salt = encoder.encode(`recollect.${purpose}`)
    this.#place = place
  }

  static async from(secret: string, purpose: string, place: readonly string[]): Promise<Derivation> {
    const usages: KeyUsage[] = ['deriveKey', 'deriveBits']
    const master = await crypto.subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, usages)
    return new Derivation(master, purpose, JSON.stringify(place))
  }

  /** Base64url of 192 bits that name nobody. */
  async name(): Promise<string> {
    const bits = await crypto.subtle.deriveBits(this.#parameters('name'), this.#master, 192)
    return base64Of(new Uint8Array(bits)).replace(/[+/]/g, (mark) => (mark === '+' ? '-' : '_'))
  }

  async seal(): Promise<Seal> {
    const { subtle } = crypto
    const form = { name: 'AES-GCM', length: 256 }
    const key = await subtle.deriveKey(this.#parameters('key'), this.#master, form, false, ['encrypt', 'decrypt'])
    const algorithm = (iv: Uint8Array<ArrayBuffer>, header: string) => ({
      ...{ name: 'AES-GCM', iv, additionalData: encoder.encode(header + this.#place) },
    })
    return {
      async close(header, text) {
        const iv = crypto.getRandomValues(new Uint8Array(nonceBytes))
        const sealed = await subtle.encrypt(algorithm(iv, header), key, encoder.encode(text))
        const bytes = new Uint8Array(nonceBytes + sealed.byteLength)
        bytes.set(iv)
        bytes.set(new Uint8Array(sealed), nonceBytes)
        return header + base64Of(bytes)
      },
      async open(header, body) {
        try {
          const bytes = bytesOf(body)
          const opened = algorithm(bytes.subarray(0, nonceBytes), header)
          return decoder.decode(await subtle.decrypt(opened, key, bytes.subarray(nonceBytes)))
        } catch {
          return undefined
        }
      },
    }
  }

  #parameters(part: string) {
    const info = encoder.encode(JSON.stringify([part, this.#place]))
    return { name: 'HKDF', hash: 'SHA-256', salt: this.#salt, info }
  }
}
