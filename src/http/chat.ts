// Chat, as `useChat` of the AI SDK speaks it: a message in, a UI message stream out, and the thread as UI messages.

import * as z from 'zod/mini'
import { didYouMean, isRecollectError, RecollectError } from '../kernel/errors.ts'
import type { CompiledGraph } from '../runtime/compiled-graph.ts'
import type { ThreadAddress } from '../runtime/history.ts'
import { attendance } from './attendance.ts'
import { type Deciding, decided } from './chat-decisions.ts'
import { approvalsField, type ChatRequest, chatBody, chatRequestOf, type SentMessage } from './chat-request.ts'
import { listen, stop } from './chat-running.ts'
import { chunksOfAnswer, chunksOfTurn, uiResponse } from './chat-stream.ts'
import { shownMessages } from './chat-thread.ts'
import { lazily } from './lazily.ts'
import { Text } from './plain.ts'
import { logFailure } from './problem.ts'
import { type Route, type RouteResponse, route } from './route.ts'
import { type Principal, type Service, threadKeyOf } from './service.ts'
import { watched } from './watch.ts'
import { json } from './wire.ts'

const tag = 'Chat'

const stream: RouteResponse = {
  description: 'An AI SDK UI message stream. It ends with `finish` (the thread holds the answer), `error` or `abort`.',
  contentType: 'text/event-stream',
}

const answers = {
  200: stream,
  202: { description: 'Kept, and still in line behind other messages after two minutes.' },
  403: { description: 'What was decided is for somebody else to decide.' },
  404: { description: "No such graph or approval, or the thread's id is somebody else's." },
  409: { description: 'What was decided has been decided before, has expired, or is no longer asked.' },
  422: {
    description:
      'The body is not a chat request, or its last message is neither text from a person nor an answer with decisions on its calls; or it asks for what this version has not: `regenerate-message`, an edited message, files.',
  },
} as const

const posting = {
  method: 'POST',
  scopes: ['chat'],
  tag,
  body: chatBody,
  description:
    'Creates the thread when its id is unknown. Of the body only `id` and the last message (its text, and its id: a message sent twice is one turn) are read; of an answer with calls in the state `approval-responded` only `approval.id`, `approved` and `reason`: they are decided, and the same answer goes on. With `approvals: "data"` what waits for a person is told in parts `data-approval`, for clients of ai 5. A client that leaves does not end the turn. Where a reply was begun anew, a part `data-withdrawn` with `{ parts: [1, 2] }` names, by their places in the message, the parts that no longer hold.',
  responses: answers,
} as const

const query = lazily(() => z.object({ approvals: approvalsField() }))

const uiMessage = lazily(() =>
  z.object({
    id: Text,
    role: z.enum(['user', 'assistant']),
    parts: z.array(z.looseObject({ type: Text })),
  }),
)

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
    description:
      'Without the answer that is being given just now: the stream has it, from its beginning. One that waits for a person is there, its calls in the state `approval-requested`.',
    query,
    responses: {
      200: { description: 'UI messages, oldest first.', schema: () => z.array(uiMessage()) },
      404: { description: 'No such thread.' },
    },
    handle: async (call) => {
      const address = addressOf(call.principal, call.parameters.thread_id)
      return json(await call.timing.measure('storage', shownMessages(call, address, call.query.approvals ?? 'calls')))
    },
  }),
  ...(['/chat/:thread_id/stream', '/chat/:graph/:thread_id/stream'] as const).map((path) =>
    route({
      method: 'GET',
      path,
      scopes: ['chat', 'operate'],
      tag,
      summary: 'The answer that is being given, from its beginning',
      description:
        'Of a turn in another isolate: what was recorded since its reader left, or its end. A turn that was left behind is gone on with. Of one that waits for a person: up to what it asks.',
      query,
      responses: {
        200: stream,
        204: { description: 'No turn of this thread runs or waits for a person, or there is no such thread.' },
        422: { description: 'The answer is longer than what is held for replay.' },
      },
      handle: (call) =>
        listen(call, addressOf(call.principal, call.parameters.thread_id), call.query.approvals ?? 'calls'),
    }),
  ),
  route({
    method: 'POST',
    path: '/chat/:thread_id/stop',
    scopes: ['chat'],
    tag,
    summary: 'Stop the answer that is being given',
    description:
      'Wherever it is given. The message stays in the thread; the unfinished reply does not, and what waits for a person is withdrawn. Messages that wait in line are not answered.',
    responses: {
      202: { description: 'The turn has been told and has not ended yet.' },
      204: { description: 'The turn has ended, or none was running.' },
      404: { description: 'No such thread.' },
    },
    handle: (call) => stop(call, addressOf(call.principal, call.parameters.thread_id)),
  }),
]

/** The answer begins when the turn holds its thread: until then a refusal still has a status of its own. */
async function converse(call: Deciding, name: string | undefined, request: ChatRequest): Promise<Response> {
  const graph = graphNamed(call.service, name)
  if ('decisions' in request) return decided(call, request)
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

async function begin(call: Deciding, graph: CompiledGraph, sent: SentMessage): Promise<Response> {
  const { thread, message, key } = sent
  const { tenant, user } = call.principal
  const address = { tenant, user, thread }
  const input = { messages: message }
  const { waitUntil } = call
  const attending = attendance(call.request, call.lifetimeMs)
  const { left, handOver } = attending
  const { turn, result } = call.turns.begin(
    address,
    (emit, signal) => {
      const options = { ...address, emit, signal, waitUntil, left, handOver, ...(key !== undefined && { key }) }
      return graph.run(input, { ...options, strategy: 'enqueue' })
    },
    input,
  )
  waitUntil(result.finally(attending.end))
  if (!(await call.timing.measure('storage', turn.speaks()))) {
    const answer = await result
    return uiResponse(chunksOfAnswer(sent, { ...answer, seq: answer.checkpoint ?? '' }))
  }
  result.catch(logFailure)
  return uiResponse(chunksOfTurn(sent, watched(graph, address, turn, attending)), attending.leave)
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
