// States: what a thread is now, what it was at a checkpoint, and the way in between.

import * as z from 'zod/mini'
import { RecollectError } from '../kernel/errors.ts'
import { lazily, type Output } from './lazily.ts'
import { Flag, Text } from './plain.ts'
import { type Call, type Route, route } from './route.ts'
import { JsonObject, limit, maybe, numberText, ThreadState } from './schemas.ts'
import { threadKeyOf } from './service.ts'
import { graphOfThread, wireState } from './thread-view.ts'
import { recordOf } from './threads.ts'
import { refuseUnsupported, unsupported } from './unsupported.ts'
import { json } from './wire.ts'

const tag = 'States'
const scopes = ['chat', 'operate'] as const
const one = { 200: { description: 'The state; before the first run it has no values', schema: ThreadState } }
const many = {
  200: { description: 'The branch that leads to the head, newest first', schema: () => z.array(ThreadState()) },
}

/** A checkpoint as clients name it: its id, the object that a state has of it, or that in a config. */
export const CheckpointRef = lazily(() =>
  z.strictObject({
    thread_id: maybe(Text),
    checkpoint_ns: maybe(Text),
    checkpoint_id: maybe(Text),
    checkpoint_map: maybe(JsonObject()),
  }),
)

const Before = lazily(() =>
  z.union([Text, CheckpointRef(), z.object({ configurable: z.object({ checkpoint_id: Text }) })], {
    error: 'must be a checkpoint, its id, or a config with configurable.checkpoint_id',
  }),
)

const Subgraphs = lazily(() => z.object({ subgraphs: z.optional(Text) }))

export const stateRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/threads/:thread_id/state',
    scopes,
    tag,
    summary: 'The state of a thread',
    query: Subgraphs,
    responses: one,
    handle: (call) => stateAt(call, call.parameters.thread_id),
  }),
  route({
    method: 'GET',
    path: '/threads/:thread_id/state/:checkpoint_id',
    scopes,
    tag,
    summary: 'The state at a checkpoint',
    query: Subgraphs,
    responses: one,
    handle: (call) => stateAt(call, call.parameters.thread_id, call.parameters.checkpoint_id),
  }),
  route({
    method: 'POST',
    path: '/threads/:thread_id/state/checkpoint',
    scopes,
    tag,
    summary: 'The state at a checkpoint, named in the body',
    body: () => z.strictObject({ checkpoint: CheckpointRef(), subgraphs: maybe(Flag) }),
    responses: one,
    handle: (call) => stateAt(call, call.parameters.thread_id, idOf(call.body.checkpoint, call.parameters.thread_id)),
  }),
  route({
    method: 'GET',
    path: '/threads/:thread_id/history',
    scopes,
    tag,
    summary: 'Earlier states of a thread',
    query: () => z.object({ limit: numberText(), before: z.optional(Text) }),
    responses: many,
    handle: (call) => {
      const count = Number(call.query.limit ?? 10)
      if (count < 1 || count > 1_000)
        throw new RecollectError('input_invalid', 'The query is not valid: limit must be 1 to 1000.')
      return historyOf(call, call.parameters.thread_id, { limit: count, before: call.query.before })
    },
  }),
  route({
    method: 'POST',
    path: '/threads/:thread_id/history',
    scopes,
    tag,
    summary: 'Earlier states of a thread',
    body: () =>
      z.strictObject({
        limit: limit(1_000),
        before: maybe(Before()),
        checkpoint: maybe(CheckpointRef()),
        metadata: maybe(JsonObject()),
      }),
    responses: many,
    handle: (call) => {
      const { body } = call
      const thread = call.parameters.thread_id
      refuseUnsupported(body, ['metadata'])
      return historyOf(call, thread, {
        limit: body.limit,
        before: body.before ? idOf(body.before, thread) : undefined,
        from: body.checkpoint ? idOf(body.checkpoint, thread) : undefined,
      })
    },
  }),
]

async function stateAt(call: Call, thread: string, checkpoint?: string): Promise<Response> {
  const graph = graphOfThread(call.service, await recordOf(call, thread))
  const { tenant, owner } = threadKeyOf(call.principal, thread)
  const snapshot = await call.timing.measure('storage', graph.state({ tenant, thread, user: owner }, checkpoint))
  return json(wireState(graph, thread, snapshot))
}

interface Page {
  readonly limit: number
  readonly before?: string | undefined
  readonly from?: string | undefined
}

async function historyOf(call: Call, thread: string, { limit, before, from }: Page): Promise<Response> {
  const graph = graphOfThread(call.service, await recordOf(call, thread))
  const { tenant, owner } = threadKeyOf(call.principal, thread)
  const page = { limit, ...(before !== undefined && { before }), ...(from !== undefined && { from }) }
  const snapshots = await call.timing.measure('storage', graph.history({ tenant, thread, user: owner }, page))
  return json(snapshots.map((snapshot) => wireState(graph, thread, snapshot)))
}

/** `undefined`: the head. */
export function idOf(checkpoint: Output<typeof Before>, thread: string): string | undefined {
  if (typeof checkpoint === 'string') return checkpoint
  if ('configurable' in checkpoint) return checkpoint.configurable.checkpoint_id
  if (checkpoint.checkpoint_ns) throw unsupported('checkpoint_ns', 'there are no subgraphs')
  if (checkpoint.thread_id && checkpoint.thread_id !== thread) {
    throw new RecollectError(
      'input_invalid',
      'The body is not valid: checkpoint.thread_id is not the thread of the path.',
    )
  }
  return checkpoint.checkpoint_id ?? undefined
}
