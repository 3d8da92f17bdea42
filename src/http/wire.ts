// What goes out as JSON: plain where state may be more than JSON, with the headers every answer has.
import { base64Of } from '../kernel/base64.ts'

/** Dates as ISO 8601, maps as pairs, sets as lists, big integers as digits, bytes as base64; what has no word is left out. */
export function wireText(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (item instanceof Map || item instanceof Set) return [...item]
    if (typeof item === 'bigint') return String(item)
    if (item instanceof Uint8Array) return base64Of(item)
    return item
  })
}

export function json(value: unknown, headers: Readonly<Record<string, string>> = {}, status = 200): Response {
  return new Response(wireText(value), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  })
}

export function noContent(): Response {
  return new Response(null, { status: 204 })
}

/** What a node emits or asks may be anything; what cannot be written is nothing on the wire. */
export function sendable(data: unknown): unknown {
  try {
    return wireText(data) === undefined ? null : data
  } catch {
    return null
  }
}
