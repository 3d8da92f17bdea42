// A turn as the UI message stream that `useChat` reads.
import type { Channels } from '../graph/channel.ts'
import type { RunResult } from '../runtime/compiled-graph.ts'
import type { RunEvent } from '../runtime/events.ts'
import { sseResponse } from './sse.ts'
import type { ApprovalsAs } from './ui-approvals.ts'
import { chunksOfMessage, failureChunks, type UiChunk } from './ui-chunks.ts'
import type { Continued } from './ui-continued.ts'
import { messagesOf, uiMessages } from './ui-messages.ts'
import { UiTranscript } from './ui-transcript.ts'
import { wireText } from './wire.ts'

export interface ChatView {
  readonly thread: string
  readonly approvals: ApprovalsAs
}

export async function* chunksOfTurn(view: ChatView, events: AsyncIterable<RunEvent>): AsyncGenerator<UiChunk, void> {
  const transcript = new UiTranscript(view)
  try {
    let begun = false
    for await (const event of events) {
      begun ||= event.type === 'run-started'
      // It waited in line, and somebody else has run it meanwhile; or it waits for answers, and nothing else is known of it.
      if (!begun && event.type === 'run-finished') yield* chunksOfAnswer(view, { ...event, interrupts: [] })
      else if (!begun && event.type === 'run-interrupted') yield* chunksOfAnswer(view, event)
      else yield* transcript.chunksOf(event)
    }
  } catch (error) {
    yield* failureChunks(error)
  }
}

/** What is told after a question was answered, to a page that has the message up to there. `refused`: answers that did not count. */
export async function* chunksGoingOn(
  view: ChatView,
  continued: Continued,
  { refused, events }: { readonly refused: readonly UiChunk[]; readonly events: AsyncIterable<RunEvent> },
): AsyncGenerator<UiChunk, void> {
  const transcript = new UiTranscript(view, continued)
  try {
    yield* transcript.begin(continued.run)
    yield* refused
    for await (const event of events) yield* transcript.chunksOf(event)
  } catch (error) {
    yield* failureChunks(error)
  }
}

type Answer = Pick<RunResult<Channels>, 'run' | 'interrupts' | 'values'> & { readonly seq: number | string }

/** What was answered before, or waits for answers, without running anything. */
export function chunksOfAnswer({ thread, approvals }: ChatView, { run, interrupts, seq, values }: Answer): UiChunk[] {
  const waiting = interrupts.length > 0 ? { waiting: { run, interrupts } } : {}
  const shown = uiMessages(messagesOf(values), { approvals, ...waiting })
  const found = interrupts.length > 0 ? shown.at(-1) : shown.findLast(({ id }) => id === run)
  return chunksOfMessage(found ?? { id: run, role: 'assistant', parts: [] }, {
    start: { threadId: thread, runId: run },
    finish: { checkpointId: String(seq) },
  })
}

export function uiResponse(chunks: Iterable<UiChunk> | AsyncIterable<UiChunk>, left = () => {}): Response {
  return sseResponse(frames(chunks), { headers: { 'x-vercel-ai-ui-message-stream': 'v1' }, left })
}

/** A replay numbers its frames as the first reader's were. */
async function* frames(chunks: Iterable<UiChunk> | AsyncIterable<UiChunk>): AsyncGenerator<string, void> {
  let id = 0
  for await (const chunk of chunks) yield `id: ${++id}\ndata: ${wireText(chunk)}\n\n`
  yield 'data: [DONE]\n\n'
}
