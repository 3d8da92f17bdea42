// Threads: made, read, found, changed and deleted.

import * as z from 'zod/mini'
import { RecollectError } from '../kernel/errors.ts'
import { assertId, randomId } from '../kernel/id.ts'
import type { ThreadRecord, ThreadSearch } from '../ports/thread-records.ts'
import { unknownThread } from '../runtime/refusal.ts'
import { lazily, type Output } from './lazily.ts'
import { Anything, Integer, Text } from './plain.ts'
import { type Call, type Route, route } from './route.ts'
import { limit, Metadata, maybe, offset, PartialThread, Thread, ThreadStatus } from './schemas.ts'
import { threadKeyOf } from './service.ts'
import { TimeToLive, ttlOf } from './thread-retention.ts'
import { emptyHead, headOf, wireThread } from './thread-view.ts'
import { refuseUnsupported, unsupported } from './unsupported.ts'
import { json, noContent } from './wire.ts'

const tag = 'Threads'
const scopes = ['chat', 'operate'] as const
const one = { 200: { description: 'The thread', schema: Thread } }

/** The thread's record, or `thread_unknown`: the same for one of somebody else. */
export async function recordOf({ service, principal, timing }: Call, thread: string): Promise<ThreadRecord> {
  const record = await timing.measure('storage', service.checkpointer.threads.get(threadKeyOf(principal, thread)))
  if (record === undefined) throw unknownThread(thread)
  return record
}

const createThread = route({
  method: 'POST',
  path: '/threads',
  scopes: ['chat'],
  tag,
  summary: 'Create a thread',
  body: () =>
    z.strictObject({
      thread_id: maybe(Text),
      metadata: maybe(Metadata()),
      if_exists: maybe(z.enum(['raise', 'do_nothing'])),
      supersteps: maybe(z.array(Anything)),
      ttl: maybe(TimeToLive()),
    }),
  responses: one,
  handle: async ({ service, principal, timing, body }) => {
    refuseUnsupported(body, ['supersteps'])
    const thread = body.thread_id ?? randomId()
    assertId('thread', thread)
    const key = { tenant: principal.tenant, thread, owner: principal.user }
    const change = { metadata: withoutNulls(body.metadata), ...ttlOf(body.ttl) }
    const made = await timing.measure('storage', service.checkpointer.threads.create(key, change))
    // An id that somebody else has taken is refused in the same words, also where "do nothing" was asked for.
    if (made.outcome === 'taken' || (made.outcome === 'exists' && body.if_exists !== 'do_nothing')) {
      throw new RecollectError('thread_exists', `The thread id "${thread}" is taken. Choose another, or leave it out.`)
    }
    return json(wireThread(made.thread, await timing.measure('storage', headOf(service, key, made.thread))))
  },
})

const readThread = route({
  method: 'GET',
  path: '/threads/:thread_id',
  scopes,
  tag,
  summary: 'Read a thread',
  responses: one,
  handle: async (call) => {
    const { service, principal, timing, parameters } = call
    const record = await recordOf(call, parameters.thread_id)
    const key = threadKeyOf(principal, parameters.thread_id)
    return json(wireThread(record, await timing.measure('storage', headOf(service, key, record))))
  },
})

const patchThread = route({
  method: 'PATCH',
  path: '/threads/:thread_id',
  scopes,
  tag,
  summary: 'Merge into the metadata of a thread',
  description:
    'A null removes its key. A time to live counts from now, and anew from every turn. With `Prefer: return=minimal` the answer is 204.',
  body: () => z.strictObject({ metadata: maybe(Metadata()), ttl: maybe(TimeToLive()) }),
  responses: { ...one, 204: { description: 'Done' } },
  handle: async ({ service, principal, timing, parameters, body, request }) => {
    const key = threadKeyOf(principal, parameters.thread_id)
    const change = { metadata: body.metadata ?? {}, ...ttlOf(body.ttl) }
    const record = await timing.measure('storage', service.checkpointer.threads.patch(key, change))
    if (record === undefined) throw unknownThread(key.thread)
    if (request.headers.get('prefer') === 'return=minimal') return noContent()
    return json(wireThread(record, await timing.measure('storage', headOf(service, key, record))))
  },
})

const ThreadFilter = lazily(() =>
  z.strictObject({
    metadata: maybe(Metadata()),
    ids: maybe(z.array(Text).check(z.maxLength(1_000))),
    status: maybe(ThreadStatus()),
    values: maybe(Anything),
  }),
)

const sortColumns = {
  thread_id: 'thread',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
  state_updated_at: 'updatedAt',
} as const

const threadFields = lazily(() => z.enum(Object.keys(Thread().shape) as (keyof Output<typeof Thread>)[]))

const searchThreads = route({
  method: 'POST',
  path: '/threads/search',
  scopes,
  tag,
  summary: 'Find threads by metadata, status or id',
  body: () =>
    z.extend(ThreadFilter(), {
      limit: limit(100),
      offset: offset(),
      sort_by: z._default(
        z.enum(['thread_id', 'status', 'created_at', 'updated_at', 'state_updated_at']),
        'created_at',
      ),
      sort_order: z._default(z.enum(['asc', 'desc']), 'desc'),
      select: maybe(z.array(threadFields())),
      extract: maybe(Anything),
    }),
  responses: {
    200: {
      description: 'Those of one page; `X-Pagination-Total` counts all, `X-Pagination-Next` is the next offset',
      schema: () => z.array(PartialThread()),
    },
  },
  handle: async ({ service, principal, timing, body }) => {
    refuseUnsupported(body, ['extract'])
    if (body.sort_by === 'status') throw unsupported('sort_by: "status"', 'sort by a time or by thread_id')
    const { threads } = service.checkpointer
    const page = { limit: body.limit, offset: body.offset }
    const search = searchOf(principal, body, {
      ...page,
      sortBy: sortColumns[body.sort_by],
      descending: body.sort_order === 'desc',
    })
    const [records, total] = await timing.measure(
      'storage',
      Promise.all([threads.search(search), threads.count(search)]),
    )
    const shown = body.select ?? undefined
    const views = records.map(async (record) => {
      const key = threadKeyOf(principal, record.thread)
      const wanted = shown === undefined || shown.includes('values') || shown.includes('interrupts')
      return selected(wireThread(record, wanted ? await headOf(service, key, record) : emptyHead), shown)
    })
    const next = body.offset + records.length
    return json(await timing.measure('storage', Promise.all(views)), {
      'x-pagination-total': String(total),
      ...(next < total && { 'x-pagination-next': String(next) }),
    })
  },
})

const countThreads = route({
  method: 'POST',
  path: '/threads/count',
  scopes,
  tag,
  summary: 'Count threads',
  body: ThreadFilter,
  responses: { 200: { description: 'How many match', schema: () => Integer } },
  handle: async ({ service, principal, timing, body }) => {
    const search = searchOf(principal, body, { limit: 1, offset: 0, sortBy: 'thread', descending: false })
    return json(await timing.measure('storage', service.checkpointer.threads.count(search)))
  },
})

export const threadRoutes: readonly Route[] = [createThread, searchThreads, countThreads, readThread, patchThread]

function searchOf(
  principal: Call['principal'],
  filter: Output<typeof ThreadFilter>,
  page: Pick<ThreadSearch, 'limit' | 'offset' | 'sortBy' | 'descending'>,
): ThreadSearch {
  refuseUnsupported(filter, ['values'])
  const { tenant, owner } = threadKeyOf(principal, '')
  return {
    tenant,
    owner,
    metadata: filter.metadata ?? {},
    ids: filter.ids ?? null,
    status: filter.status ?? null,
    ...page,
  }
}

function selected(thread: Output<typeof Thread>, fields: readonly string[] | undefined): Output<typeof PartialThread> {
  if (fields === undefined) return thread
  return Object.fromEntries(Object.entries(thread).filter(([field]) => fields.includes(field)))
}

/** The client sends `graph_id: null` where it knows none. */
function withoutNulls(metadata: Record<string, unknown> | null | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(metadata ?? {}).filter(([, value]) => value !== null))
}
