// A reply on the wire: one `chat.completion`, or a stream of `chat.completion.chunk` as server-sent events.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WireReply } from '../stand-in.ts'
import { type ChatRequest, chatModel } from './request.ts'
import type { ScriptedReply } from './script.ts'
import { estimatedUsage } from './usage.ts'

/** The replies that have a completion; the others never get that far. */
type Spoken = Extract<ScriptedReply, { kind: 'answer' | 'calls' }>

interface Delivery {
  request: ChatRequest
  reply: Spoken
  chunkDelayMs: number
  signal: AbortSignal
}

const operations = ['chat']

export function completion(delivery: Delivery): WireReply {
  return delivery.request.stream
    ? {
        status: 200,
        headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
        body: events(delivery),
        operations,
      }
    : { status: 200, headers: { 'content-type': 'application/json' }, body: whole(delivery), operations }
}

async function* whole({ request, reply, signal }: Delivery): AsyncGenerator<string> {
  if (reply.kind === 'answer') await pause(reply.spreadOverMs, signal)
  const body = JSON.stringify({
    ...heading('chat.completion'),
    choices: [{ index: 0, message: message(reply), logprobs: null, finish_reason: finishReason(reply) }],
    usage: estimatedUsage(request, reply),
  })
  if (!isCut(reply)) {
    yield body
    return
  }
  yield body.slice(0, body.length / 2)
  await cut(signal)
}

async function* events({ request, reply, chunkDelayMs, signal }: Delivery): AsyncGenerator<string> {
  const head = heading('chat.completion.chunk')
  // Asked for usage, the real API sends `usage: null` in every chunk but the last.
  const withUsage = request.stream_options?.include_usage === true
  const event = (fields: object) => `data: ${JSON.stringify({ ...head, ...fields })}\n\n`
  const chunk = (delta: object, finish_reason: string | null = null) =>
    event({
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
      ...(withUsage && { usage: null }),
    })

  const pieces = reply.kind === 'answer' ? words(reply.text).map((content) => ({ content })) : callPieces(reply)
  const sent = isCut(reply) ? pieces.slice(0, pieces.length / 2) : pieces
  const spreadOverMs = reply.kind === 'answer' ? reply.spreadOverMs / Math.max(1, pieces.length) : 0
  yield chunk({ role: 'assistant', content: reply.kind === 'answer' ? '' : null, refusal: null })
  for (const piece of sent) {
    await pause(Math.max(chunkDelayMs, spreadOverMs), signal)
    if (signal.aborted) return
    yield chunk(piece)
  }
  if (isCut(reply)) await cut(signal)
  const finished = finishReason(reply)
  if (finished === null) return
  yield chunk({}, finished)
  if (withUsage) yield event({ choices: [], usage: estimatedUsage(request, reply) })
  yield 'data: [DONE]\n\n'
}

function heading(object: 'chat.completion' | 'chat.completion.chunk') {
  return { id: `chatcmpl-${randomUUID()}`, object, created: Math.floor(Date.now() / 1000), model: chatModel }
}

function message(reply: Spoken) {
  return reply.kind === 'answer'
    ? { role: 'assistant', content: reply.text, refusal: null }
    : {
        role: 'assistant',
        content: null,
        refusal: null,
        tool_calls: reply.calls.map(({ id, ...call }) => ({ id, type: 'function', function: call })),
      }
}

/** As the real API sends them: a call's name once, then its arguments in pieces, then the next call. */
function callPieces({ calls }: Extract<Spoken, { kind: 'calls' }>): object[] {
  return calls.flatMap(({ id, name, arguments: whole }, index) => {
    const start = { index, id, type: 'function', function: { name, arguments: '' } }
    const pieces = whole.match(/.{1,8}/gsu) ?? []
    return [start, ...pieces.map((piece) => ({ index, function: { arguments: piece } }))].map((call) => ({
      tool_calls: [call],
    }))
  })
}

/** A word with the space before it; joined again they are the text, character for character. */
function words(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? []
}

function finishReason(reply: Spoken): 'stop' | 'tool_calls' | null {
  if (reply.kind === 'calls') return 'tool_calls'
  return reply.ending === 'unfinished' ? null : 'stop'
}

function isCut(reply: Spoken): boolean {
  return reply.kind === 'answer' && reply.ending === 'cut'
}

/** A body that throws is how the stand-in server cuts a connection; the pause lets what was sent go out first. */
async function cut(signal: AbortSignal): Promise<never> {
  await pause(20, signal)
  throw new Error('the connection was cut in the middle of an answer, as asked')
}

/** Over early when the caller is gone. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined)
}
