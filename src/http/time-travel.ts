// Going back over HTTP: writes from outside, which may begin at an earlier checkpoint; copies of threads; what has changed.

import * as z from 'zod/mini'
import type { ChannelChange as Change } from '../graph/compare.ts'
import type { Graph } from '../graph/graph.ts'
import { randomId } from '../kernel/id.ts'
import { unknownThread } from '../runtime/refusal.ts'
import { copyThread } from '../runtime/time-travel.ts'
import { assertScope } from './auth.ts'
import { lazily, type Output } from './lazily.ts'
import { Anything, Text } from './plain.ts'
import { type Route, route } from './route.ts'
import { idempotencyKeyOf } from './run-key.ts'
import { Checkpoint, JsonObject, Metadata, maybe, Thread } from './schemas.ts'
import { threadKeyOf } from './service.ts'
import { CheckpointRef, idOf } from './states.ts'
import { graphOfThread, headOf, wireCheckpoint, wireThread } from './thread-view.ts'
import { recordOf } from './threads.ts'
import { json, noContent } from './wire.ts'
import { inputOfWire, wireValues } from './wire-messages.ts'

const scopes = ['chat', 'operate'] as const

const Config = lazily(() => z.object({ thread_id: Text, checkpoint_ns: Text, checkpoint_id: z.nullable(Text) }))

/** Of a list, element by element, as far as they have ids or equal text; of anything else, the whole. */
export const ChannelChange = lazily(() =>
  z.union([
    z.strictObject({ kind: z.literal('value'), before: Anything, after: Anything }),
    z.strictObject({
      kind: z.literal('list'),
      added: z.array(Anything),
      removed: z.array(Anything),
      changed: z.array(z.strictObject({ before: Anything, after: Anything })),
    }),
  ]),
)

const Diff = lazily(() =>
  z.strictObject({
    from: Checkpoint(),
    to: Checkpoint(),
    /** Those that differ. */
    channels: z.record(Text, ChannelChange()),
    next: z.strictObject({ before: z.array(Text), after: z.array(Text) }),
  }),
)

const updateState = route({
  method: 'POST',
  path: '/threads/:thread_id/state',
  scopes,
  tag: 'States',
  summary: 'Write into a thread, at its head or from an earlier checkpoint',
  description:
    'A new checkpoint, and nothing is run. `as_node`, for which the scope `operate` is needed, says whose writes they are: what comes after that node is due then; without it, what was due stays due. With `checkpoint` or `checkpoint_id` it is a fork: the head moves to the new branch, and the old one stays readable. What a waiting run has asked is withdrawn. Of messages only those of the person are taken. The same `Idempotency-Key` is the same update.',
  body: () =>
    z.strictObject({
      values: maybe(JsonObject()),
      checkpoint: maybe(CheckpointRef()),
      checkpoint_id: maybe(Text),
      as_node: maybe(Text),
    }),
  responses: {
    200: {
      description: 'The new checkpoint, twice: clients differ in where they look for it',
      schema: () => z.strictObject({ checkpoint: Checkpoint(), configurable: Config() }),
    },
  },
  handle: async (call) => {
    const { body, request, timing } = call
    // What is due is for the graph to say: a client may not step over a node that guards another.
    if (body.as_node != null) assertScope(call.principal, ['operate'])
    const record = await recordOf(call, call.parameters.thread_id)
    const { thread, owner: user } = record
    const graph = graphOfThread(call.service, record)
    const from = (body.checkpoint ? idOf(body.checkpoint, thread) : undefined) ?? body.checkpoint_id ?? undefined
    const update = {
      values: inputOfWire(graph.graph, body.values ?? {}),
      createThread: false,
      ...(body.as_node != null && { asNode: body.as_node }),
      ...(from !== undefined && { from }),
      ...idempotencyKeyOf(request),
    }
    const { tenant } = call.principal
    const updated = await timing.measure('storage', graph.update({ tenant, thread, user }, update))
    const checkpoint = wireCheckpoint(thread, updated.checkpoint ?? null)
    const { checkpoint_map: _map, ...configurable } = checkpoint
    return json({ checkpoint, configurable })
  },
})

/** What the client calls patching the state: it sends only metadata, and means that of the thread. */
const patchState = route({
  method: 'PATCH',
  path: '/threads/:thread_id/state',
  scopes,
  tag: 'States',
  summary: 'Merge into the metadata of a thread',
  description: 'The same as `PATCH /threads/:thread_id`: metadata is of the thread. Checkpoints are never changed.',
  body: () => z.strictObject({ metadata: Metadata() }),
  responses: { 204: { description: 'Done' } },
  handle: async ({ service, principal, timing, parameters, body }) => {
    const key = threadKeyOf(principal, parameters.thread_id)
    const { metadata } = body
    const record = await timing.measure('storage', service.checkpointer.threads.patch(key, { metadata }))
    if (record === undefined) throw unknownThread(key.thread)
    return noContent()
  },
})

const copy = route({
  method: 'POST',
  path: '/threads/:thread_id/copy',
  scopes,
  tag: 'Threads',
  summary: 'Copy a thread',
  description:
    'The new thread has the same checkpoints, owner and metadata. Runs, and what they have asked, stay with the old one.',
  responses: { 200: { description: 'The new thread', schema: Thread } },
  handle: async ({ service, principal, timing, parameters }) => {
    const { tenant, owner: user } = threadKeyOf(principal, '')
    const id = randomId()
    const key = { tenant, thread: id, owner: user }
    await timing.measure('storage', copyThread(service, { tenant, user, thread: parameters.thread_id }, id))
    const record = await timing.measure('storage', service.checkpointer.threads.get(key))
    if (record === undefined) throw unknownThread(id)
    return json(wireThread(record, await timing.measure('storage', headOf(service, key, record))))
  },
})

const diff = route({
  method: 'GET',
  path: '/threads/:thread_id/diff',
  scopes,
  tag: 'States',
  summary: 'What is different between two checkpoints',
  description: 'Of any two, in either order, on whichever branches. Lists are compared element by element.',
  query: () => z.strictObject({ from: Text, to: Text }),
  responses: { 200: { description: 'The channels that differ, and what is due', schema: Diff } },
  handle: async (call) => {
    const { from, to } = call.query
    const graph = graphOfThread(call.service, await recordOf(call, call.parameters.thread_id))
    const { tenant, thread, owner: user } = threadKeyOf(call.principal, call.parameters.thread_id)
    const comparing = graph.compare({ tenant, thread, user }, { from, to })
    const { channels, next } = await call.timing.measure('storage', comparing)
    const shown = Object.entries(channels).map(([name, change]) => [name, wireChange(graph.graph, name, change)])
    return json({
      from: wireCheckpoint(thread, from),
      to: wireCheckpoint(thread, to),
      channels: Object.fromEntries(shown),
      next,
    })
  },
})

export const timeTravelRoutes: readonly Route[] = [updateState, patchState, copy, diff]

/** Messages in their wire form; `null` for what was never written. */
export function wireChange(graph: Graph, channel: string, change: Change): Output<typeof ChannelChange> {
  const whole = (value: unknown) => (value === undefined ? null : wireValues(graph, { [channel]: value })[channel])
  if (change.kind === 'value') return { kind: 'value', before: whole(change.before), after: whole(change.after) }
  const elements = (list: readonly unknown[]) => whole(list) as unknown[]
  const changed = change.changed.map(({ before, after }) => {
    const [shownBefore, shownAfter] = elements([before, after])
    return { before: shownBefore, after: shownAfter }
  })
  return { kind: 'list', added: elements(change.added), removed: elements(change.removed), changed }
}
