// A turn as the UI message stream that `useChat` reads.
import type { Channels } from '../graph/channel.ts'
import type { Message } from '../ports/model.ts'
import type { RunEvent } from '../runtime/events.ts'
import type { StateSnapshot } from '../runtime/history.ts'
import type { RunResult } from '../runtime/run-result.ts'
import { sseResponse } from './sse.ts'
import type { ApprovalsAs } from './ui-approvals.ts'
import { chunksOfMessage, failureChunks, type UiChunk } from './ui-chunks.ts'
import type { Continued } from './ui-continued.ts'
import { answerOf, messagesOf, type UiMessage, uiMessages } from './ui-messages.ts'
import { UiTranscript } from './ui-transcript.ts'
import { wireText } from './wire.ts'

export interface ChatView {
  readonly thread: string
  readonly approvals: ApprovalsAs
}

/** `stateAt`: of a checkpoint. A turn that goes on with a run tells nothing of what the run had done before. */
export async function* chunksOfTurn(
  view: ChatView,
  events: AsyncIterable<RunEvent>,
  stateAt?: (seq: number) => Promise<Pick<StateSnapshot, 'values'>>,
): AsyncGenerator<UiChunk, void> {
  let transcript = new UiTranscript(view)
  try {
    let begun = false
    for await (const event of events) {
      if (!begun && event.type === 'run-started' && event.step > 0 && stateAt !== undefined) {
        const messages = messagesOf((await stateAt(event.seq)).values)
        const { parts } = unfinished(view, event.run, messages)
        yield* chunksOfMessage({ id: event.run, role: 'assistant', parts }, metadataOf(view, event)).slice(0, -1)
        const { run, step } = event
        transcript = new UiTranscript(view, { run, step, messages, parts: parts.length, answered: new Set() })
        transcript.begin(run)
      }
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
export function chunksOfAnswer(view: ChatView, { run, interrupts, seq, values }: Answer): UiChunk[] {
  const { approvals } = view
  const waiting = interrupts.length > 0 ? { waiting: { run, interrupts } } : {}
  const shown = uiMessages(messagesOf(values), { approvals, ...waiting })
  const found = interrupts.length > 0 ? shown.at(-1) : shown.findLast(({ id }) => id === run)
  return chunksOfMessage(found ?? empty(run), metadataOf(view, { run, seq }))
}

/** The answer of a run that goes on: its calls may still get their results. */
function unfinished({ approvals }: ChatView, run: string, messages: readonly Message[]): UiMessage {
  const [message] = uiMessages(answerOf(run, messages), { approvals, waiting: { run, interrupts: [] } })
  return message ?? empty(run)
}

function empty(run: string): UiMessage {
  return { id: run, role: 'assistant', parts: [] }
}

function metadataOf({ thread }: ChatView, { run, seq }: { readonly run: string; readonly seq: number | string }) {
  return { start: { threadId: thread, runId: run }, finish: { checkpointId: String(seq) } }
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
