// Runs: begun, waited for, watched and listed. The engine works outside of the answer: a reader who leaves does not stop it.
import * as z from 'zod/mini'
import type { Channels } from '../graph/channel.ts'
import { RecollectError } from '../kernel/errors.ts'
import { randomId } from '../kernel/id.ts'
import type { RunRecord } from '../ports/run-records.ts'
import type { RunResult } from '../runtime/compiled-graph.ts'
import { pacedBody } from './paced-body.ts'
import { logFailure } from './problem.ts'
import { type Call, type Route, type RouteResponse, route } from './route.ts'
import { runEvents, wireError } from './run-events.ts'
import { type PlannedRun, plannedRun, RunRequest } from './run-request.ts'
import type { RunningTurn } from './running-turns.ts'
import { JsonObject, numberText, Run } from './schemas.ts'
import { threadKeyOf } from './service.ts'
import { sseFrames, sseResponse } from './sse.ts'
import { wireRun } from './thread-view.ts'
import { recordOf } from './threads.ts'
import { unsupported } from './unsupported.ts'
import { json, wireText } from './wire.ts'
import { wireValues } from './wire-messages.ts'

type RunCall = Call<unknown, unknown, z.output<typeof RunRequest>>

const tag = 'Runs'
const reading = ['chat', 'operate'] as const
const running = ['chat'] as const

const description =
  'Of messages only those of the person are taken. `metadata` is accepted and not kept. What this version cannot do is refused by name.'

const eventsOut: Readonly<Record<number, RouteResponse>> = {
  200: { description: 'The events of the run, `metadata` first', contentType: 'text/event-stream' },
}
const valuesOut: Readonly<Record<number, RouteResponse>> = {
  200: {
    description: 'The state at the end; `{ "__error__": { error, message } }` when the run failed',
    schema: JsonObject,
  },
}

export const runRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/threads/:thread_id/runs/stream',
    scopes: running,
    tag,
    summary: 'Run a graph in a thread and stream what happens',
    description,
    body: RunRequest,
    responses: eventsOut,
    handle: (call) => streamed(call, call.parameters.thread_id),
  }),
  route({
    method: 'POST',
    path: '/threads/:thread_id/runs/wait',
    scopes: running,
    tag,
    summary: 'Run a graph in a thread and wait for its end',
    description,
    body: RunRequest,
    responses: valuesOut,
    handle: (call) => awaited(call, call.parameters.thread_id),
  }),
  route({
    method: 'POST',
    path: '/threads/:thread_id/runs',
    scopes: running,
    tag,
    summary: 'Run a graph in a thread, in the background',
    description: 'Join it, or watch its stream, to see how it ends.',
    body: RunRequest,
    responses: { 200: { description: 'The run, begun or in line', schema: Run } },
    handle: async (call) => {
      const { run, headers } = await begin(call, call.parameters.thread_id)
      return json(await wireRun(await runOf(call, { ...call.parameters, run_id: run })), headers)
    },
  }),
  route({
    method: 'POST',
    path: '/runs/stream',
    scopes: running,
    tag,
    summary: 'Run a graph without a thread and stream what happens',
    description,
    body: RunRequest,
    responses: eventsOut,
    handle: (call) => streamed(call),
  }),
  route({
    method: 'POST',
    path: '/runs/wait',
    scopes: running,
    tag,
    summary: 'Run a graph without a thread and wait for its end',
    description,
    body: RunRequest,
    responses: valuesOut,
    handle: (call) => awaited(call),
  }),
  route({
    method: 'GET',
    path: '/threads/:thread_id/runs',
    scopes: reading,
    tag,
    summary: 'The runs of a thread, newest first',
    query: z.object({
      limit: numberText,
      offset: numberText,
      status: z.optional(z.string()),
      select: z.optional(z.union([z.string(), z.array(z.string())])),
    }),
    responses: { 200: { description: 'Those of one page', schema: z.array(Run) } },
    handle: async (call) => {
      const { query, service, principal, timing } = call
      if (query.status !== undefined) throw unsupported('status')
      if (query.select !== undefined) throw unsupported('select')
      const limit = Number(query.limit ?? 10)
      if (limit < 1 || limit > 1_000)
        throw new RecollectError('input_invalid', 'The query is not valid: limit must be 1 to 1000.')
      const { thread } = await recordOf(call, call.parameters.thread_id)
      const page = { limit, offset: Number(query.offset ?? 0) }
      const runs = service.checkpointer.runs.list(threadKeyOf(principal, thread), page)
      return json(await Promise.all((await timing.measure('storage', runs)).map(wireRun)))
    },
  }),
  route({
    method: 'GET',
    path: '/threads/:thread_id/runs/:run_id',
    scopes: reading,
    tag,
    summary: 'One run',
    responses: { 200: { description: 'The run', schema: Run } },
    handle: async (call) => json(await wireRun(await runOf(call, call.parameters))),
  }),
]

export async function runOf(
  call: Call,
  { thread_id, run_id }: { thread_id: string; run_id: string },
): Promise<RunRecord> {
  const { service, principal, timing } = call
  const run = await timing.measure('storage', service.checkpointer.runs.get(threadKeyOf(principal, thread_id), run_id))
  if (run !== undefined) return run
  await recordOf(call, thread_id)
  throw new RecollectError('run_unknown', `Thread "${thread_id}" has no run "${run_id}".`)
}

interface Begun {
  readonly run: string
  readonly plan: PlannedRun
  readonly turn: RunningTurn
  readonly result: Promise<RunResult<Channels>>
  readonly headers: Readonly<Record<string, string>>
}

/** Comes back once the run holds its thread, so that a refusal still is a status; throws what refused it. */
async function begin(call: RunCall, thread: string | undefined): Promise<Begun> {
  const { service, principal, turns, timing, waitUntil } = call
  const plan = await plannedRun(service, call.body, { stateless: thread === undefined })
  const run = randomId()
  const { tenant, user } = principal
  const graph = thread === undefined ? plan.graph.withoutThreads() : plan.graph
  const key = idempotencyKeyOf(call.request)
  const older = thread === undefined ? undefined : turns.find({ tenant, user, thread })
  const { turn, result } = turns.begin(
    // A run without a thread is nobody's to find: its own id keeps it apart.
    { tenant, user, thread: thread ?? `/runs/${run}` },
    (emit, signal) => {
      const options = { tenant, user, run, emit, signal, waitUntil, createThread: plan.createThread }
      return graph.run(
        plan.input,
        thread === undefined ? options : { ...options, ...key, thread, strategy: plan.strategy },
      )
    },
    plan.input,
  )
  waitUntil(result)
  const spoke = await timing.measure('storage', turn.speaks())
  // A key that was used before names the run of that time.
  const actual = spoke ? (turn.run ?? run) : (await result).run
  result.catch(logFailure)
  // It is fenced already: that it stops at once spares its model call.
  if (plan.strategy === 'interrupt' || plan.strategy === 'rollback') void older?.stop()
  return { run: actual, plan, turn, result, headers: { 'content-location': locationOf(thread, actual) } }
}

/** The same key in the same thread is the same run. */
function idempotencyKeyOf(request: Request): { key: string } | undefined {
  const key = request.headers.get('idempotency-key')
  if (key === null) return undefined
  if (/^[\x21-\x7e]{1,240}$/.test(key)) return { key: `idempotency-key:${key}` }
  throw new RecollectError('id_invalid', 'The Idempotency-Key must be 1 to 240 printable characters without spaces.')
}

/** As it stands: the client takes the ids from it, and no id has a character that a path must hide. */
function locationOf(thread: string | undefined, run: string): string {
  return thread === undefined ? `/runs/${run}` : `/threads/${thread}/runs/${run}`
}

async function streamed(call: RunCall, thread?: string): Promise<Response> {
  const { run, plan, turn, headers } = await begin(call, thread)
  const { graph, modes, cancelOnDisconnect } = plan
  const location = `${headers['content-location']}/stream?stream_mode=${modes.join(',')}`
  return sseResponse(sseFrames(runEvents({ graph, modes, run, thread }, turn.events())), {
    // The client comes back to `Location` when the connection breaks. A run without a thread leaves nothing to come back to.
    headers: { ...headers, ...(thread !== undefined && { location }) },
    ...(cancelOnDisconnect && { left: () => call.waitUntil(turn.stop()) }),
  })
}

/** A proxy that compresses would hold back the line ends, and with them the news that the reader has left. */
export const waitingHeaders = { 'content-type': 'application/json', 'cache-control': 'no-store, no-transform' } as const

/** Line ends keep the connection alive; no parser of JSON minds them. */
async function awaited(call: RunCall, thread?: string): Promise<Response> {
  const { plan, turn, result, headers } = await begin(call, thread)
  const answer = result.then(
    ({ values }) => wireText(wireValues(plan.graph.graph, values)),
    (error: unknown) => wireText({ __error__: wireError(error) }),
  )
  const body = pacedBody(once(answer), {
    keepAlive: '\n',
    ...(plan.cancelOnDisconnect && { left: () => call.waitUntil(turn.stop()) }),
  })
  return new Response(body, { headers: { ...waitingHeaders, ...headers } })
}

async function* once(text: Promise<string>): AsyncGenerator<string, void> {
  yield await text
}
