// Replies as they cross the wire: JSON, with or without base64, and RESP2.
import { type Bytes, toBase64, toText } from './bytes.ts'
import { type Reply, ReplyError, Status } from './reply.ts'

/** `text`, or `base64`, in which every string is encoded but a top-level OK; errors are never encoded. */
export type Encoding = 'text' | 'base64'

/** `{"result":…}` or `{"error":…}`. */
export function jsonItem(reply: Reply, encoding: Encoding): string {
  if (reply instanceof ReplyError) return jsonError(reply.message)
  const isOk = (reply instanceof Status ? reply.text : reply) === 'OK'
  return `{"result":${isOk ? '"OK"' : jsonValue(reply, encoding)}}`
}

export const jsonError = (message: Bytes): string => JSON.stringify({ error: toText(message) })

/** By hand, because counters are 64-bit integers, which JSON.stringify cannot print. */
function jsonValue(reply: Reply, encoding: Encoding): string {
  if (reply === null) return 'null'
  if (typeof reply === 'number' || typeof reply === 'bigint') return String(reply)
  if (Array.isArray(reply)) return `[${reply.map((item) => jsonValue(item, encoding)).join(',')}]`
  const bytes = reply instanceof Status ? reply.text : reply instanceof ReplyError ? reply.message : reply
  return encoding === 'base64' ? `"${toBase64(bytes)}"` : JSON.stringify(toText(bytes))
}

export function resp2(reply: Reply): Bytes {
  if (reply === null) return '$-1\r\n'
  if (typeof reply === 'number' || typeof reply === 'bigint') return `:${reply}\r\n`
  if (typeof reply === 'string') return `$${reply.length}\r\n${reply}\r\n`
  if (reply instanceof Status) return `+${reply.text}\r\n`
  if (reply instanceof ReplyError) return `-${reply.message}\r\n`
  return `*${reply.length}\r\n${reply.map(resp2).join('')}`
}
