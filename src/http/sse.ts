// Server-sent events as the LangGraph clients read them: `event`, `data`, `id` in this order.
import { pacedBody } from './paced-body.ts'
import { wireText } from './wire.ts'

export interface SseEvent {
  readonly event: string
  readonly data: unknown
  /** Absent where it is not known which claim told it: such a one is sent to every reader. */
  readonly id?: FrameId
}

/**
 * Which claim on the thread told it, and its number there: `3-17` is the eighteenth of claim 3. A run that is taken over begins
 * anew with a later claim, so that what a reader has seen of the earlier one is told apart from what it has not.
 */
export interface FrameId {
  readonly epoch: number
  readonly index: number
  /** In a stream of several runs, whose it is: `3-17-run`. */
  readonly run?: string
}

/** What `Last-Event-ID` names; `undefined`, or what is no id of ours: nothing was seen. */
export function frameIdOf(text: string | null): FrameId | undefined {
  const [, epoch, index, run] = /^(\d{1,15})-(\d{1,15})(?:-(.+))?$/.exec(text ?? '') ?? []
  if (epoch === undefined) return undefined
  return { epoch: Number(epoch), index: Number(index), ...(run !== undefined && { run }) }
}

/** The events in their frames, without those that the reader has seen. */
export async function* sseFrames(events: AsyncIterable<SseEvent>, seen?: FrameId): AsyncGenerator<string, void> {
  for await (const { event, data, id } of events) {
    const text = `event: ${event}\ndata: ${wireText(data)}\n`
    if (id === undefined) yield `${text}\n`
    else if (seen === undefined || isAfter(id, seen)) yield `${text}id: ${textOf(id)}\n\n`
  }
}

function textOf({ epoch, index, run }: FrameId): string {
  return run === undefined ? `${epoch}-${index}` : `${epoch}-${index}-${run}`
}

function isAfter(id: FrameId, seen: FrameId): boolean {
  return id.epoch > seen.epoch || (id.epoch === seen.epoch && id.index > seen.index)
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
