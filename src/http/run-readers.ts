// Coming to a run late: joining it, watching it from where the connection broke, and stopping it.
import * as z from 'zod/mini'
import { RecollectError } from '../kernel/errors.ts'
import type { RunRecord } from '../ports/run-records.ts'
import { pacedBody } from './paced-body.ts'
import { type Call, type Route, route } from './route.ts'
import { runEvents, type StreamMode, wireError } from './run-events.ts'
import { ModeList, ModesQuery, modesOf, modesOfQuery } from './run-request.ts'
import type { RunningTurn } from './running-turns.ts'
import { runOf, waitingHeaders } from './runs.ts'
import { JsonObject } from './schemas.ts'
import { threadKeyOf } from './service.ts'
import { type SseEvent, sseFrames, sseResponse } from './sse.ts'
import { graphOfThread } from './thread-view.ts'
import { recordOf } from './threads.ts'
import { checked } from './validation.ts'
import { noContent, wireText } from './wire.ts'
import { wireValues } from './wire-messages.ts'

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
    description: 'Where the run works in another process, or has ended, the answer is its final state.',
    query: ModesQuery,
    responses: { 200: { description: 'The events of the run', contentType: 'text/event-stream' } },
    handle: (call) =>
      watched(call, call.parameters, modesOf(checked(ModeList, modesOfQuery(call.query), 'The query: stream_mode'))),
  }),
  route({
    method: 'GET',
    path: '/threads/:thread_id/runs/:run_id/join',
    scopes,
    tag,
    summary: 'Wait for the end of a run',
    query: z.object({ cancel_on_disconnect: z.optional(z.string()) }),
    responses: { 200: { description: 'The state at its end', schema: JsonObject } },
    handle: (call) => joined(call, call.parameters),
  }),
  route({
    method: 'POST',
    path: '/threads/:thread_id/runs/:run_id/cancel',
    scopes: ['chat'],
    tag,
    summary: 'Stop a run',
    query: z.object({ wait: z.optional(z.string()), action: z.optional(z.enum(['interrupt'])) }),
    responses: { 202: { description: 'It will stop' }, 204: { description: 'It has stopped, or had ended before' } },
    handle: async (call) => {
      const { status } = await runOf(call, call.parameters)
      if (status !== 'running') return noContent()
      const turn = liveTurn(call, call.parameters)
      if (turn === undefined) {
        throw new RecollectError(
          'feature_unsupported',
          'This run works in another process, from where it cannot be stopped yet.',
        )
      }
      const stopping = turn.stop()
      call.waitUntil(stopping)
      if (call.query.wait !== '1' && call.query.wait !== 'true') return new Response(null, { status: 202 })
      await stopping
      return noContent()
    },
  }),
]

function liveTurn({ turns, principal }: Call, { thread_id, run_id }: RunPlace): RunningTurn | undefined {
  const { tenant, thread, owner } = threadKeyOf(principal, thread_id)
  const turn = turns.find({ tenant, thread, user: owner })
  return turn?.run === run_id && turn.replayable ? turn : undefined
}

async function watched(call: Call, place: RunPlace, modes: readonly StreamMode[]): Promise<Response> {
  const record = await runOf(call, place)
  const graph = graphOfThread(call.service, await recordOf(call, place.thread_id))
  const after = lastEventId(call.request)
  const turn = liveTurn(call, place)
  if (turn === undefined) return sseResponse(sseFrames(ending(call, record, after), { first: after + 1 }))
  const view = { graph, modes, run: place.run_id, thread: place.thread_id }
  return sseResponse(sseFrames(runEvents(view, turn.events()), { after }))
}

/** What is left of a run whose events are held nowhere: how it ended. A reader who comes back has the beginning. */
async function* ending(call: Call, record: RunRecord, after: number): AsyncGenerator<SseEvent, void> {
  const { run, thread } = record
  if (after < 0) yield { event: 'metadata', data: { run_id: run, attempt: 1, thread_id: thread } }
  try {
    yield { event: 'values', data: await valuesAtEnd(call, record) }
  } catch (error) {
    yield { event: 'error', data: wireError(error) }
  }
}

async function joined(call: Call, place: RunPlace): Promise<Response> {
  const record = await runOf(call, place)
  const body = pacedBody(answer(), { keepAlive: '\n' })
  return new Response(body, { headers: waitingHeaders })

  async function* answer(): AsyncGenerator<string, void> {
    yield await valuesAtEnd(call, record).then(wireText, (error) => wireText({ __error__: wireError(error) }))
  }
}

/** Between two looks at a run that works elsewhere. */
const lookAgainMs = 1_000

/** Waits for the end, wherever the run works. Throws what the run failed with. */
async function valuesAtEnd(call: Call, first: RunRecord): Promise<Record<string, unknown>> {
  let record = first
  const { run, thread } = first
  while (record.status === 'running') {
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
    record = await runOf(call, { thread_id: thread, run_id: run })
  }
  if (record.status !== 'success' || record.answer === null) {
    const reason = record.error?.message ?? (record.status === 'cancelled' ? 'The run was stopped.' : 'The run failed.')
    throw new RecollectError(record.status === 'cancelled' ? 'run_cancelled' : 'run_failed', reason)
  }
  const graph = graphOfThread(call.service, await recordOf(call, thread))
  const { tenant, owner } = threadKeyOf(call.principal, thread)
  const { values } = await graph.state({ tenant, thread, user: owner }, String(record.answer))
  return wireValues(graph.graph, values)
}

/** -1: all. The client says where it was. */
function lastEventId(request: Request): number {
  const id = request.headers.get('last-event-id') ?? '-1'
  return /^\d{1,15}$/.test(id) ? Number(id) : -1
}
