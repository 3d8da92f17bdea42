// A subscription as server-sent events: one for each name at the start, then one for each message, until the caller goes.
import { json, type WireReply } from '../stand-in.ts'
import { type Bytes, toText } from './bytes.ts'
import type { Channels, Delivery } from './pubsub.ts'

export function subscription(
  channels: Channels,
  kind: 'subscribe' | 'psubscribe',
  names: Bytes[],
  signal: AbortSignal,
): WireReply {
  if (names.length === 0) return json({ error: `ERR wrong number of arguments for '${kind}' command` }, 400)
  const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' }
  const operations = names.map(() => kind.toUpperCase())
  return { status: 200, headers, body: events(channels, kind, names, signal), operations }
}

async function* events(
  channels: Channels,
  kind: 'subscribe' | 'psubscribe',
  names: Bytes[],
  signal: AbortSignal,
): AsyncGenerator<string> {
  const waiting: string[] = []
  let wake = () => {}
  const deliver = (delivery: Delivery) => {
    waiting.push(messageEvent(delivery))
    wake()
  }
  signal.addEventListener('abort', () => wake(), { once: true })
  const ends = names.map((name) => channels.subscribe(name, kind === 'subscribe' ? 'channel' : 'pattern', deliver))
  try {
    for (const [at, name] of names.entries()) yield event(`${kind},${name},${at + 1}`)
    while (!signal.aborted) {
      yield* waiting.splice(0)
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      if (waiting.length === 0 && !signal.aborted) await woken
    }
  } finally {
    for (const end of ends) end()
  }
}

const messageEvent = ({ pattern, channel, message }: Delivery): string =>
  event(pattern === undefined ? `message,${channel},${message}` : `pmessage,${pattern},${channel},${message}`)

/** A line break inside the data begins another `data:` line of the same event. */
const event = (data: Bytes): string => `data: ${toText(data).replace(/\r\n|[\r\n]/g, '\ndata: ')}\n\n`
