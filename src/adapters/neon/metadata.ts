// Metadata on its way into jsonb, which refuses \u0000 and lone surrogates, and back.
import type { ThreadRecord } from '../../ports/thread-records.ts'

type Metadata = ThreadRecord['metadata']

/** Begins an escape: `\ue000` and four hexadecimal digits. It is itself escaped, so that no two texts become one. */
const escaped = /\ue000([0-9a-f]{4})/g
/** Every escape of JSON, so that `\\u0000` is not taken for one; the group is a character that jsonb refuses. */
const refused = /\\(?:u(0000|d[89a-f][0-9a-f]{2})|.)|\ue000/g

export function jsonbOf(metadata: Metadata): string {
  return JSON.stringify(metadata).replace(refused, (found, code?: string) => {
    if (code !== undefined) return `\ue000${code}`
    return found === '\ue000' ? '\ue000e000' : found
  })
}

export function metadataOf(stored: Metadata): Metadata {
  const text = JSON.stringify(stored)
  return text.includes('\ue000') ? JSON.parse(text.replace(escaped, '\\u$1')) : stored
}
