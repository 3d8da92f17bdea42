// A turn as the UI message stream that `useChat` reads.
import type { Channels } from '../graph/channel.ts'
import type { RunEvent } from '../runtime/events.ts'
import type { RunResult } from '../runtime/run-result.ts'
import { sseResponse } from './sse.ts'
import { chunksOfMessage, type UiChunk } from './ui-chunks.ts'
import { messagesOf, uiMessages } from './ui-messages.ts'
import { failureChunks, UiTranscript } from './ui-transcript.ts'
import { wireText } from './wire.ts'

export async function* chunksOfTurn(thread: string, events: AsyncIterable<RunEvent>): AsyncGenerator<UiChunk, void> {
  const transcript = new UiTranscript(thread)
  try {
    let begun = false
    for await (const event of events) {
      begun ||= event.type === 'run-started'
      // It waited in line, and somebody else has run it meanwhile.
      if (event.type === 'run-finished' && !begun)
        yield* chunksOfAnswer(thread, { ...event, checkpoint: `${event.seq}` })
      else yield* transcript.chunksOf(event)
    }
  } catch (error) {
    yield* failureChunks(error)
  }
}

type Answer = Pick<RunResult<Channels>, 'run' | 'checkpoint' | 'values'>

/** A message that was answered before: its answer, without running anything. */
export function chunksOfAnswer(thread: string, { run, checkpoint = '', values }: Answer): readonly UiChunk[] {
  const found = uiMessages(messagesOf(values)).findLast(({ id }) => id === run)
  return chunksOfMessage(found ?? { id: run, role: 'assistant', parts: [] }, {
    start: { threadId: thread, runId: run },
    finish: { checkpointId: checkpoint },
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
