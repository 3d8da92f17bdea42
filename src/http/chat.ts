// Chat, as `useChat` of the AI SDK speaks it: a message in, a UI message stream out, and the thread as UI messages.
import * as z from 'zod/mini'
import type { Channels } from '../graph/channel.ts'
import { didYouMean, isRecollectError, RecollectError } from '../kernel/errors.ts'
import type { CompiledGraph, RunResult } from '../runtime/compiled-graph.ts'
import type { ThreadAddress } from '../runtime/history.ts'
import { unknownThread } from '../runtime/refusal.ts'
import { type ChatRequest, chatBody, chatRequestOf } from './chat-request.ts'
import { shownMessages } from './chat-thread.ts'
import { logFailure } from './problem.ts'
import { type Call, type Route, type RouteResponse, route } from './route.ts'
import { type RunningTurn, type RunningTurns, tooMuch } from './running-turns.ts'
import { type Principal, type Service, threadKeyOf } from './service.ts'
import { sseResponse } from './sse.ts'
import { chunksOfMessage, type UiChunk } from './ui-chunks.ts'
import { messagesOf, uiMessages } from './ui-messages.ts'
import { failureChunks, UiTranscript } from './ui-transcript.ts'
import { json, noContent, wireText } from './wire.ts'

const tag = 'Chat'

const stream: RouteResponse = {
  description: 'An AI SDK UI message stream. It ends with `finish` (the thread holds the answer), `error` or `abort`.',
  contentType: 'text/event-stream',
}

const answers = {
  200: stream,
  404: { description: "No such graph, or the thread's id is somebody else's." },
  202: { description: 'Kept, and still in line behind other messages after two minutes.' },
  422: {
    description:
      'The body is not a chat request, or its last message is not text from a person; or it asks for what this version has not: `regenerate-message`, an edited message, files.',
  },
} as const

const posting = {
  method: 'POST',
  scopes: ['chat'],
  tag,
  body: chatBody,
  description:
    'Creates the thread when its id is unknown. Of the body only `id` and the last message (its text, and its id: a message sent twice is one turn) are read. A client that leaves does not end the turn. Where a reply was begun anew, a part `data-withdrawn` with `{ parts: [1, 2] }` names, by their places in the message, the parts that no longer hold.',
  responses: answers,
} as const

const uiMessage = z.object({
  id: z.string(),
  role: z.enum(['user', 'assistant']),
  parts: z.array(z.looseObject({ type: z.string() })),
})

export const chatRoutes: readonly Route[] = [
  route({
    ...posting,
    path: '/chat',
    summary: 'Send a message to the default graph',
    handle: (call) => converse(call, undefined, chatRequestOf(call.body)),
  }),
  route({
    ...posting,
    path: '/chat/:graph',
    summary: 'Send a message to a graph',
    handle: (call) => converse(call, call.parameters.graph, chatRequestOf(call.body)),
  }),
  route({
    method: 'GET',
    path: '/chat/:thread_id/messages',
    scopes: ['chat', 'operate'],
    tag,
    summary: 'The messages of a thread',
    description: 'Without the answer that is being given just now: the stream has it, from its beginning.',
    responses: {
      200: { description: 'UI messages, oldest first.', schema: z.array(uiMessage) },
      404: { description: 'No such thread.' },
    },
    handle: async (call) => {
      const address = addressOf(call.principal, call.parameters.thread_id)
      return json(await call.timing.measure('storage', shownMessages(call, address)))
    },
  }),
  ...(['/chat/:thread_id/stream', '/chat/:graph/:thread_id/stream'] as const).map((path) =>
    route({
      method: 'GET',
      path,
      scopes: ['chat', 'operate'],
      tag,
      summary: 'The answer that is being given, from its beginning',
      description: 'Reaches turns that run in the same isolate.',
      responses: {
        200: stream,
        204: { description: 'No turn of this thread runs here, or there is no such thread.' },
        422: { description: 'The answer is longer than what is held for replay.' },
      },
      handle: ({ turns, principal, parameters }) => listen(turns, addressOf(principal, parameters.thread_id)),
    }),
  ),
  route({
    method: 'POST',
    path: '/chat/:thread_id/stop',
    scopes: ['chat'],
    tag,
    summary: 'Stop the answer that is being given',
    description:
      'The message stays in the thread; the unfinished reply does not. Reaches turns that run in the same isolate.',
    responses: {
      202: { description: 'The turn has been told and has not ended yet.' },
      204: { description: 'The turn has ended, or none was running.' },
      404: { description: 'No such thread.' },
      409: { description: 'The turn runs in another isolate, out of reach: it goes on to its end.' },
    },
    handle: (call) => stop(call, addressOf(call.principal, call.parameters.thread_id)),
  }),
]

type Posted = Pick<Call, 'service' | 'turns' | 'principal' | 'timing' | 'waitUntil'>

/** The answer begins when the turn holds its thread: until then a refusal still has a status of its own. */
async function converse(call: Posted, name: string | undefined, request: ChatRequest): Promise<Response> {
  const graph = graphNamed(call.service, name)
  const attempt = (key: string | undefined) => begin(call, graph, { ...request, key })
  try {
    return await attempt(request.key)
  } catch (error) {
    // The same message again, after a turn that failed or was stopped: it is tried anew.
    if (request.key !== undefined && isRecollectError(error) && error.code === 'run_failed')
      return await attempt(undefined)
    if (isRecollectError(error) && error.code === 'key_reused') throw editedMessage(error)
    throw error
  }
}

async function begin(call: Posted, graph: CompiledGraph, { thread, message, key }: ChatRequest): Promise<Response> {
  const { tenant, user } = call.principal
  const address = { tenant, user, thread }
  const input = { messages: message }
  const { waitUntil } = call
  const { turn, result } = call.turns.begin(
    address,
    (emit, signal) =>
      graph.run(input, { ...address, emit, signal, waitUntil, strategy: 'enqueue', ...(key !== undefined && { key }) }),
    input,
  )
  waitUntil(result)
  if (!(await call.timing.measure('storage', turn.speaks()))) return uiResponse(chunksOfAnswer(thread, await result))
  result.catch(logFailure)
  return uiResponse(chunksOfTurn(thread, turn))
}

function listen(turns: RunningTurns, address: ThreadAddress): Response {
  const turn = turns.find(address)
  if (turn === undefined) return noContent()
  if (!turn.replayable) throw tooMuch()
  return uiResponse(chunksOfTurn(address.thread, turn))
}

const patienceMs = 10_000

async function stop({ service, turns }: Posted, { tenant, user, thread }: ThreadAddress): Promise<Response> {
  const stopping = turns.stop({ tenant, user, thread })
  if (stopping.length > 0) {
    const ended = await within(patienceMs, Promise.all(stopping))
    return ended ? noContent() : new Response(null, { status: 202 })
  }
  const record = await service.checkpointer.threads.get({ tenant, thread, owner: user })
  if (record === undefined) throw unknownThread(thread)
  if (record.status !== 'busy') return noContent()
  throw new RecollectError(
    'thread_busy',
    `The turn on thread "${thread}" runs in another isolate, which this request cannot reach. It goes on to its end; read the thread then.`,
  )
}

async function* chunksOfTurn(thread: string, turn: RunningTurn): AsyncGenerator<UiChunk, void> {
  const transcript = new UiTranscript(thread)
  try {
    let begun = false
    for await (const event of turn.events()) {
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
function chunksOfAnswer(thread: string, { run, checkpoint = '', values }: Answer): readonly UiChunk[] {
  const found = uiMessages(messagesOf(values)).findLast(({ id }) => id === run)
  return chunksOfMessage(found ?? { id: run, role: 'assistant', parts: [] }, {
    start: { threadId: thread, runId: run },
    finish: { checkpointId: checkpoint },
  })
}

function uiResponse(chunks: Iterable<UiChunk> | AsyncIterable<UiChunk>): Response {
  return sseResponse(frames(chunks), { headers: { 'x-vercel-ai-ui-message-stream': 'v1' } })
}

/** A replay numbers its frames as the first reader's were. */
async function* frames(chunks: Iterable<UiChunk> | AsyncIterable<UiChunk>): AsyncGenerator<string, void> {
  let id = 0
  for await (const chunk of chunks) yield `id: ${++id}\ndata: ${wireText(chunk)}\n\n`
  yield 'data: [DONE]\n\n'
}

function graphNamed({ graphs }: Service, name: string | undefined): CompiledGraph {
  const names = Object.keys(graphs)
  const wanted = name ?? names[0] ?? ''
  const graph = Object.hasOwn(graphs, wanted) ? graphs[wanted] : undefined
  if (graph !== undefined) return graph
  throw new RecollectError('graph_unknown', `There is no graph "${wanted}"${didYouMean(wanted, names)}.`)
}

function addressOf(principal: Principal, id: string): ThreadAddress {
  const { tenant, thread, owner } = threadKeyOf(principal, id)
  return { tenant, thread, user: owner }
}

function editedMessage(cause: RecollectError): RecollectError {
  return new RecollectError(
    'feature_unsupported',
    'A message with this id was sent in this thread before, with another text or to another graph. Changing a sent message is not supported by this version: send a new one.',
    { cause },
  )
}

/** False when the time is up first. The timer also keeps a Worker from taking a wait for another request for a hang. */
function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms)
    work.then(() => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}
