// What goes out as JSON: plain where state may be more than JSON, with the headers every answer has.
import { plainText as wireText } from '../kernel/plain-json.ts'

export { wireText }

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
