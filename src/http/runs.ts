// Runs: begun, waited for, watched and listed. The engine works outside of the answer: a reader who leaves does not stop it.

import type { Channels } from '../graph/channel.ts'
import { isRecollectError } from '../kernel/errors.ts'
import { randomId } from '../kernel/id.ts'
import { movesOn } from '../runtime/events.ts'
import type { ThreadAddress } from '../runtime/history.ts'
import type { RunOptions } from '../runtime/options.ts'
import type { RunResult } from '../runtime/run-result.ts'
import { type Attendance, attendance } from './attendance.ts'
import { assertScope } from './auth.ts'
import type { Output } from './lazily.ts'
import { pacedBody } from './paced-body.ts'
import { logFailure } from './problem.ts'
import { type Call, type Route, type RouteResponse, route } from './route.ts'
import { resumed } from './run-command.ts'
import { runEvents, wireEnd, wireError } from './run-events.ts'
import { idempotencyKeyOf } from './run-key.ts'
import { runOf } from './run-list.ts'
import { type PlannedRun, plannedRun, RunRequest } from './run-request.ts'
import type { RunningTurn } from './running-turns.ts'
import { JsonObject, Run } from './schemas.ts'
import { sseFrames, sseResponse } from './sse.ts'
import { wireRun } from './thread-view.ts'
import { watched } from './watch.ts'
import { json, wireText } from './wire.ts'

type RunCall = Call<unknown, unknown, Output<typeof RunRequest>>

const tag = 'Runs'
const running = ['chat'] as const

const description =
  'Of messages only those of the person are taken. `command.resume` answers what the thread waits for, by id, or the one question there is; `command.goto` needs the scope `operate`. `metadata` is accepted and not kept. What this version cannot do is refused by name.'

const eventsOut: Readonly<Record<number, RouteResponse>> = {
  200: { description: 'The events of the run, `metadata` first', contentType: 'text/event-stream' },
}
const valuesOut: Readonly<Record<number, RouteResponse>> = {
  200: {
    description:
      'The state at the end; with `__interrupt__` when it waits for answers; `{ "__error__": { error, message } }` when the run failed',
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
      const { run, headers, attendance } = await begin(call, call.parameters.thread_id)
      attendance.leave()
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
]

interface Begun {
  readonly run: string
  readonly plan: PlannedRun
  readonly turn: RunningTurn
  /** Whether anything is told here; if not, it ended before, or goes on elsewhere. */
  readonly spoke: boolean
  readonly result: Promise<RunResult<Channels>>
  readonly attendance: Attendance
  readonly headers: Readonly<Record<string, string>>
}

/** Comes back once the run holds its thread, so that a refusal still is a status; throws what refused it. */
async function begin(call: RunCall, thread: string | undefined): Promise<Begun> {
  const { service, principal, turns, timing, waitUntil } = call
  // Where a run goes is for the graph to say: a client may not step over a node that guards another.
  if (call.body.command?.goto != null) assertScope(principal, ['operate'])
  const plan = await plannedRun(service, call.body, { thread })
  const { tenant, user } = principal
  const waiting =
    thread !== undefined && 'resume' in plan && (await resumed(call, thread, plan.graph.name, plan.resume))
  const run = waiting ? waiting.run : randomId()
  const attending = attendance(call.request, call.lifetimeMs)
  const older = thread === undefined ? undefined : turns.find({ tenant, user, thread })
  const { turn, result } = turns.begin(
    // A run without a thread is nobody's to find: its own id keeps it apart.
    { tenant, user, thread: thread ?? `/runs/${run}` },
    (emit, signal) => {
      const { left, handOver } = attending
      const attended = { emit, signal, left, handOver, waitUntil, record: plan.options.record }
      if (waiting && thread !== undefined) return plan.graph.goOn({ tenant, user, thread }, run, attended)
      return started(plan, thread, { ...attended, ...idempotencyKeyOf(call.request), tenant, user, run })
    },
    plan.input,
  )
  waitUntil(result.finally(attending.end))
  const spoke = await timing.measure('storage', turn.speaks())
  // A key that was used before names the run of that time.
  const actual = spoke ? (turn.run ?? run) : (await result).run
  result.catch(logFailure)
  // It is fenced already: that it stops at once spares its model call.
  const { strategy } = plan.options
  if (strategy === 'interrupt' || strategy === 'rollback') void older?.stop()
  const headers = { 'content-location': locationOf(thread, actual) }
  return { run: actual, plan, turn, spoke, result, attendance: attending, headers }
}

function started({ graph, input, options: planned }: PlannedRun, thread: string | undefined, options: RunOptions) {
  if (thread === undefined) return graph.withoutThreads().run(input, options)
  return graph.run(input, { ...planned, ...options, thread })
}

/** As it stands: the client takes the ids from it, and no id has a character that a path must hide. */
function locationOf(thread: string | undefined, run: string): string {
  return thread === undefined ? `/runs/${run}` : `/threads/${thread}/runs/${run}`
}

async function streamed(call: RunCall, thread?: string): Promise<Response> {
  const begun = await begin(call, thread)
  const { run, plan, headers } = begun
  const { graph, modes } = plan
  const location = `${headers['content-location']}/stream?stream_mode=${modes.join(',')}`
  return sseResponse(sseFrames(runEvents({ graph, modes, run, thread }, eventsOf(call, begun, thread))), {
    // The client comes back to `Location` when the connection breaks. A run without a thread leaves nothing to come back to.
    headers: { ...headers, ...(thread !== undefined && { location }) },
    left: () => leave(call, begun),
  })
}

function eventsOf(call: Call, { plan, run, turn, spoke, attendance }: Begun, thread: string | undefined) {
  if (thread === undefined) return turn.events()
  const address = addressOf(call, thread)
  return spoke ? watched(plan.graph, address, turn, attendance) : plan.graph.follow(address, run, attendance)
}

function leave(call: RunCall, { plan, turn, attendance }: Begun): void {
  attendance.leave()
  if (plan.cancelOnDisconnect) call.waitUntil(turn.stop())
}

function addressOf({ principal }: Call, thread: string): ThreadAddress {
  const { tenant, user } = principal
  return { tenant, user, thread }
}

/** A proxy that compresses would hold back the line ends, and with them the news that the reader has left. */
export const waitingHeaders = { 'content-type': 'application/json', 'cache-control': 'no-store, no-transform' } as const

/** Line ends keep the connection alive; no parser of JSON minds them. */
async function awaited(call: RunCall, thread?: string): Promise<Response> {
  const begun = await begin(call, thread)
  const { run, plan, result, headers, attendance } = begun
  // Another worker has taken it over.
  const ended = result.catch((error: unknown) => {
    if (thread === undefined || !isRecollectError(error) || !movesOn(error)) throw error
    return plan.graph.result(addressOf(call, thread), run, attendance)
  })
  const answer = ended.then(
    (end) => wireText(wireEnd(plan.graph, end)),
    (error: unknown) => wireText({ __error__: wireError(error) }),
  )
  const body = pacedBody(once(answer), { keepAlive: '\n', left: () => leave(call, begun) })
  return new Response(body, { headers: { ...waitingHeaders, ...headers } })
}

async function* once(text: Promise<string>): AsyncGenerator<string, void> {
  yield await text
}
