// Coming to a run late: joining it, watching it from where the connection broke, and stopping it.
import * as z from 'zod/mini'
import type { ThreadAddress } from '../runtime/history.ts'
import { attendance } from './attendance.ts'
import { pacedBody } from './paced-body.ts'
import { Text } from './plain.ts'
import { type Call, type Route, route } from './route.ts'
import { runEvents, type StreamMode, wireEnd, wireError } from './run-events.ts'
import { runOf } from './run-list.ts'
import { ModeList, ModesQuery, modesOf, modesOfQuery } from './run-request.ts'
import type { RunningTurn } from './running-turns.ts'
import { waitingHeaders } from './runs.ts'
import { JsonObject } from './schemas.ts'
import { threadKeyOf } from './service.ts'
import { frameIdOf, sseFrames, sseResponse } from './sse.ts'
import { graphOfRun } from './thread-view.ts'
import { checked } from './validation.ts'
import { watched } from './watch.ts'
import { noContent, wireText } from './wire.ts'

type RunPlace = { readonly thread_id: string; readonly run_id: string }

const tag = 'Runs'
const scopes = ['chat', 'operate'] as const

export const runReaderRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/threads/:thread_id/runs/:run_id/stream',
    scopes,
    tag,
    summary: 'Watch a run, from the beginning or from after `Last-Event-ID`',
    description:
      'Of a run in another process, or one that has ended: what was recorded of it (all that was told since its reader left; with `stream_resumable` all; for ten minutes), and its final state. A run that was left behind is gone on with.',
    query: ModesQuery,
    responses: { 200: { description: 'The events of the run', contentType: 'text/event-stream' } },
    handle: (call) =>
      streamed(call, call.parameters, modesOf(checked(ModeList(), modesOfQuery(call.query), 'The query: stream_mode'))),
  }),
  route({
    method: 'GET',
    path: '/threads/:thread_id/runs/:run_id/join',
    scopes,
    tag,
    summary: 'Wait for the end of a run',
    description: 'Wherever it works. A run that was left behind is gone on with.',
    query: () => z.object({ cancel_on_disconnect: z.optional(Text) }),
    responses: { 200: { description: 'The state at its end', schema: JsonObject } },
    handle: (call) => joined(call, call.parameters),
  }),
  route({
    method: 'POST',
    path: '/threads/:thread_id/runs/:run_id/cancel',
    scopes: ['chat'],
    tag,
    summary: 'Stop a run',
    description:
      'Wherever it works, or waits in line, or for answers. What it was sent with stays in the thread if it had begun.',
    query: () => z.object({ wait: z.optional(Text), action: z.optional(z.enum(['interrupt'])) }),
    responses: { 202: { description: 'It will stop' }, 204: { description: 'It has stopped, or had ended before' } },
    handle: (call) => cancelled(call, call.parameters, call.query.wait === '1' || call.query.wait === 'true'),
  }),
]

async function cancelled(call: Call, place: RunPlace, wait: boolean): Promise<Response> {
  const record = await runOf(call, place)
  if (!['running', 'queued', 'waiting'].includes(record.status)) return noContent()
  const turn = liveTurn(call, place)
  if (turn === undefined) {
    const graph = graphOfRun(call.service, record)
    await call.timing.measure('storage', graph.cancel(addressOf(call, place), record.run))
    return noContent()
  }
  const stopping = turn.stop()
  call.waitUntil(stopping)
  if (!wait) return new Response(null, { status: 202 })
  await stopping
  return noContent()
}

function liveTurn({ turns, principal }: Call, { thread_id, run_id }: RunPlace): RunningTurn | undefined {
  const { tenant, thread, owner } = threadKeyOf(principal, thread_id)
  const turn = turns.find({ tenant, thread, user: owner })
  return turn?.run === run_id && turn.replayable ? turn : undefined
}

function addressOf({ principal }: Call, { thread_id }: RunPlace): ThreadAddress {
  const { tenant, thread, owner } = threadKeyOf(principal, thread_id)
  return { tenant, thread, user: owner }
}

async function streamed(call: Call, place: RunPlace, modes: readonly StreamMode[]): Promise<Response> {
  const graph = graphOfRun(call.service, await runOf(call, place))
  const attending = attendance(call.request, call.lifetimeMs)
  const turn = liveTurn(call, place)
  const address = addressOf(call, place)
  const events =
    turn === undefined ? graph.follow(address, place.run_id, attending) : watched(graph, address, turn, attending)
  const view = { graph, modes, run: place.run_id, thread: place.thread_id }
  const seen = frameIdOf(call.request.headers.get('last-event-id'))
  return sseResponse(sseFrames(runEvents(view, events), seen), { left: attending.leave })
}

async function joined(call: Call, place: RunPlace): Promise<Response> {
  const graph = graphOfRun(call.service, await runOf(call, place))
  const attending = attendance(call.request, call.lifetimeMs)
  const body = pacedBody(answer(), { keepAlive: '\n', left: attending.leave })
  return new Response(body, { headers: waitingHeaders })

  async function* answer(): AsyncGenerator<string, void> {
    const ended = graph.result(addressOf(call, place), place.run_id, attending)
    yield await ended.then(
      (end) => wireText(wireEnd(graph, end)),
      (error) => wireText({ __error__: wireError(error) }),
    )
  }
}
