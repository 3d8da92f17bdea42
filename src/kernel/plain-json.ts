// What goes out as JSON, where a value may be more than JSON.
import { base64Of } from './base64.ts'

/** Dates as ISO 8601, maps as pairs, sets as lists, big integers as digits, bytes as base64; what has no word is left out. */
export function plainText(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (item instanceof Map || item instanceof Set) return [...item]
    if (typeof item === 'bigint') return String(item)
    if (item instanceof Uint8Array) return base64Of(item)
    return item
  })
}
