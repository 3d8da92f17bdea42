// Server-sent events as the LangGraph clients read them: `event`, `data`, `id` in this order, ids dense from 0.
import { pacedBody } from './paced-body.ts'
import { wireText } from './wire.ts'

export interface SseEvent {
  readonly event: string
  readonly data: unknown
}

/** The events with their ids, from `first`; those up to `after`, which the reader has seen, are counted and not sent. */
export async function* sseFrames(
  events: AsyncIterable<SseEvent>,
  { first = 0, after = -1 }: { first?: number; after?: number } = {},
): AsyncGenerator<string, void> {
  let id = first
  for await (const { event, data } of events) {
    if (id > after) yield `event: ${event}\ndata: ${wireText(data)}\nid: ${id}\n\n`
    id++
  }
}

export function sseResponse(
  frames: AsyncIterator<string>,
  { headers = {}, left }: { headers?: Readonly<Record<string, string>>; left?: () => void } = {},
): Response {
  return new Response(pacedBody(frames, { keepAlive: ': heartbeat\n\n', ...(left !== undefined && { left }) }), {
    headers: {
      'content-type': 'text/event-stream',
      // A proxy that compresses would hold back what is to be read at once.
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      ...headers,
    },
  })
}
