// How long threads live: their time to live, and deleting them or their old checkpoints.

import * as z from 'zod/mini'
import { assertId } from '../kernel/id.ts'
import { dropExtractionLog } from '../memory/extraction-log.ts'
import type { CacheKey } from '../ports/cache.ts'
import { unknownThread } from '../runtime/refusal.ts'
import { lazily, type Output } from './lazily.ts'
import { Integer, Text } from './plain.ts'
import { type Call, type Route, route } from './route.ts'
import { threadKeyOf } from './service.ts'
import { unsupported } from './unsupported.ts'
import { json, noContent } from './wire.ts'

const tag = 'Threads'
const scopes = ['chat', 'operate'] as const

const Minutes = lazily(() => z.number().check(z.positive(), z.maximum(5_256_000)))

export const TimeToLive = lazily(() =>
  z.union([Minutes(), z.strictObject({ ttl: Minutes(), strategy: z.optional(z.enum(['delete', 'keep_latest'])) })], {
    error: 'must be minutes, from above 0 to ten years, or { ttl, strategy: "delete" }',
  }),
)

const deleteThread = route({
  method: 'DELETE',
  path: '/threads/:thread_id',
  scopes,
  tag,
  summary: 'Delete a thread with its checkpoints and runs',
  responses: { 204: { description: 'Done' } },
  handle: async (call) => {
    const { service, principal, timing, parameters } = call
    const key = threadKeyOf(principal, parameters.thread_id)
    // What is cached is kept under the owner, whom an operator's token does not name.
    const owner = key.owner ?? (await timing.measure('storage', service.checkpointer.threads.get(key)))?.owner
    if (owner === undefined) throw unknownThread(key.thread)
    const deleted = await timing.measure(
      'storage',
      deletedThread(service, { tenant: key.tenant, thread: key.thread, owner }),
    )
    if (!deleted) throw unknownThread(key.thread)
    return noContent()
  },
})

const pruneThreads = route({
  method: 'POST',
  path: '/threads/prune',
  scopes,
  tag,
  summary: 'Delete threads, or their old checkpoints',
  description:
    '`keep_latest` keeps the state of each branch, and of older checkpoints what is needed to read it; `delete` deletes the threads. Unknown ids, and those of somebody else, are passed over.',
  body: () =>
    z.strictObject({
      thread_ids: z.array(Text).check(z.maxLength(100)),
      strategy: z._default(z.enum(['delete', 'keep_latest']), 'delete'),
    }),
  responses: { 200: { description: 'How many threads', schema: () => z.object({ pruned_count: Integer }) } },
  handle: async ({ service, principal, timing, body }) => {
    const { threads } = service.checkpointer
    let pruned = 0
    for (const thread of new Set(body.thread_ids)) {
      assertId('thread', thread)
      const key = threadKeyOf(principal, thread)
      const record = await timing.measure('storage', threads.get(key))
      if (record === undefined) continue
      if (body.strategy === 'keep_latest') await timing.measure('storage', threads.prune(key, 1))
      else await timing.measure('storage', deletedThread(service, { tenant: key.tenant, thread, owner: record.owner }))
      pruned++
    }
    return json({ pruned_count: pruned })
  },
})

export const threadRetentionRoutes: readonly Route[] = [deleteThread, pruneThreads]

/**
 * Redis first, which refuses to hold anything of it for a while: as long as it will not forget, nothing is said to be deleted, and the
 * request can be sent again. How far it was read goes before, for the same reason, and behind: it may be read in between.
 */
async function deletedThread({ checkpointer, cache, events, store }: Call['service'], key: CacheKey): Promise<boolean> {
  const log = { tenant: key.tenant, thread: key.thread, user: key.owner }
  await Promise.all([cache?.delete(key), events?.delete(key), dropExtractionLog(store, log)])
  const deleted = await checkpointer.threads.delete(key)
  await dropExtractionLog(store, log)
  return deleted
}

/** In minutes, as the wire has it. */
export function ttlOf(ttl: Output<typeof TimeToLive> | null | undefined): { ttlMs: number } | undefined {
  if (ttl === null || ttl === undefined) return undefined
  const { ttl: minutes, strategy = 'delete' } = typeof ttl === 'number' ? { ttl } : ttl
  if (strategy !== 'delete') throw unsupported(`ttl.strategy: "${strategy}"`, 'a thread whose time is over is deleted')
  return { ttlMs: Math.round(minutes * 60_000) }
}
