// What is remembered of somebody: all of it on one stream, the history of one memory, and forgetting.

import * as z from 'zod/mini'
import { RecollectError } from '../kernel/errors.ts'
import type { Filter } from '../kernel/filter.ts'
import { assertNamespace, assertNamespacePrefix, type Namespace } from '../kernel/namespace.ts'
import { extractionsOf } from '../memory/extraction-log.ts'
import type { Item, Store } from '../ports/store.ts'
import { lazily } from './lazily.ts'
import { DateTime, Integer, Text } from './plain.ts'
import { type Call, type Route, route } from './route.ts'
import { JsonObject, maybe } from './schemas.ts'
import type { Principal, Service } from './service.ts'
import { assertReadable, assertWritable, mayRead, ownNamespace, storeOf } from './store-access.ts'
import { wireItem } from './store-items.ts'
import { json, wireText } from './wire.ts'

const tag = 'Memories'
const scopes = ['chat', 'operate'] as const
const page = 100
const mostExpired = 1_000

const exportMemories = route({
  method: 'GET',
  path: '/memories/export',
  scopes,
  tag,
  summary: 'All that is remembered, as JSON Lines',
  description:
    'One item a line, in no order that says anything: own ones, or with `namespace` (a name for each segment) what lies there. Each item that is there all the time is there once; one that is new or deleted meanwhile may be or not. A read for export counts no time to live anew.',
  query: () => z.object({ namespace: z.optional(z.union([Text, z.array(Text)])) }),
  responses: {
    200: { description: 'The items', contentType: 'application/x-ndjson' },
  },
  handle: async ({ service, principal, timing, query: { namespace } }) => {
    const prefix = namespace === undefined ? ownNamespace(principal) : [namespace].flat()
    assertNamespacePrefix(prefix)
    assertReadable(service, principal, prefix)
    const pages = allItems(storeOf(service), principal.tenant, prefix)
    const encoder = new TextEncoder()
    // Before the answer begins: what fails here still has a status of its own.
    let next = await timing.measure('storage', pages.next())
    const lines = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (next.done) return controller.close()
        controller.enqueue(encoder.encode(next.value.map((item) => `${wireText(wireItem(item))}\n`).join('')))
        next = await pages.next()
      },
    })
    return new Response(lines, { headers: { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' } })
  },
})

/** By id, which stays when an item is written again: by offset or time, one that moves would be passed over. */
async function* allItems(store: Store, tenant: string, prefix: Namespace): AsyncGenerator<readonly Item[], undefined> {
  let afterId = ''
  for (;;) {
    const { items, more } = await store.search({ tenant, prefix, limit: page, afterId, refresh: false })
    yield items
    const last = items.at(-1)
    if (!more || last === undefined) return undefined
    afterId = last.id
  }
}

const Version = lazily(() =>
  z.strictObject({
    version: Integer,
    value: JsonObject(),
    tags: z.array(Text),
    source: z.nullable(Text),
    author: z.nullable(Text),
    at: DateTime,
  }),
)

const readHistory = route({
  method: 'GET',
  path: '/memories/:memory_id/history',
  scopes,
  tag,
  summary: 'The last 100 versions of a memory, newest first',
  responses: {
    200: { description: 'Its versions', schema: () => z.array(Version()) },
  },
  handle: async (call) => {
    const { service, principal, timing } = call
    const { namespace, key } = await itemOf(call, call.parameters.memory_id)
    const reading = storeOf(service).history({ tenant: principal.tenant, namespace, key, limit: 100 })
    return json(await timing.measure('storage', reading))
  },
})

const forget = route({
  method: 'POST',
  path: '/memories/forget',
  scopes,
  tag,
  summary: 'Forget, for good',
  description:
    'One of: `id`, a memory; `namespace`, all that lies there; `source`, all of the tenant that came from it, versions that were replaced since too (scope `operate`); `user`, a person: what is remembered below `["users", user]`, and their threads. History goes along.',
  body: () =>
    z.strictObject({
      id: maybe(z.string().check(z.minLength(1))),
      namespace: maybe(z.array(Text)),
      source: maybe(z.string().check(z.minLength(1))),
      user: maybe(z.string().check(z.minLength(1))),
    }),
  responses: {
    200: { description: 'How many', schema: () => z.strictObject({ items: Integer, threads: Integer }) },
  },
  handle: async (call) => {
    const { service, principal, body } = call
    const named = Object.entries(body).filter(([, value]) => value !== undefined && value !== null)
    if (named.length !== 1) {
      throw new RecollectError('input_invalid', 'Say what to forget by one of id, namespace, source and user.')
    }
    if (body.id) {
      const item = await itemOf(call, body.id)
      assertWritable(principal, item.namespace)
      const gone = await storeOf(service).delete({ ...item, tenant: principal.tenant, defer: call.waitUntil })
      return json({ items: gone ? 1 : 0, threads: 0 })
    }
    const namespace = body.source ? [] : (body.namespace ?? ['users', body.user ?? ''])
    if (!body.source) assertNamespace(namespace)
    assertWritable(principal, namespace)
    if (!body.user) {
      const items = await forgetItems(call, namespace, body.source ?? undefined)
      if (body.source) await storeOf(service).forgetVersions({ tenant: principal.tenant, source: body.source })
      return json({ items, threads: 0 })
    }
    // Threads first: from then on nothing is remembered of them, but by an extraction that has begun, which its log then stops.
    const threads = await forgetThreads(service, principal, body.user)
    await service.checkpointer.outbox.forget(principal.tenant, body.user)
    await forgetItems(call, extractionsOf({ user: body.user }))
    return json({ items: await forgetItems(call, namespace), threads })
  },
})

/** Throws `item_unknown`, also for one that is not for this token. */
async function itemOf({ service, principal, timing }: Call, id: string): Promise<Pick<Item, 'namespace' | 'key'>> {
  const search = { tenant: principal.tenant, prefix: [], ids: [id], refresh: false }
  const [item] = await timing.measure('storage', storeOf(service).find(search))
  if (item !== undefined && mayRead(service, principal, item.namespace))
    return { namespace: item.namespace, key: item.key }
  throw new RecollectError('item_unknown', `There is no memory "${id.slice(0, 64)}".`)
}

async function forgetItems(call: Call, prefix: Namespace, source?: string): Promise<number> {
  const { service, principal, waitUntil: defer } = call
  const store = storeOf(service)
  const { tenant } = principal
  const filter: Filter | undefined = source === undefined ? undefined : { op: 'eq', field: 'source', value: source }
  let forgotten = 0
  for (;;) {
    const { items } = await store.search({ tenant, prefix, limit: page, refresh: false, ...(filter && { filter }) })
    if (items.length === 0) break
    const operations = items.map(({ namespace, key }) => ({ op: 'delete', namespace, key }) as const)
    const results = await store.batch({ tenant, operations, defer })
    // Of another who forgets the same it may be none, and there may be more all the same.
    forgotten += results.filter((result) => result.op === 'delete' && result.deleted).length
  }
  // What has expired is found by no search, and is still there until it is swept.
  for (let gone = mostExpired; gone === mostExpired; ) gone = await store.expire(mostExpired)
  return forgotten
}

/** Redis first: while it will not forget, nothing is said to be deleted. */
async function forgetThreads({ checkpointer, cache, events }: Service, { tenant }: Principal, owner: string) {
  let forgotten = 0
  for (;;) {
    const found = await checkpointer.threads.search({
      ...{ tenant, owner, ids: null, status: null, metadata: {} },
      ...{ sortBy: 'thread', descending: false, limit: page, offset: 0 },
    })
    if (found.length === 0) return forgotten
    for (const { thread } of found) {
      const key = { tenant, thread, owner }
      await Promise.all([cache?.delete(key), events?.delete(key)])
      if (await checkpointer.threads.delete(key)) forgotten++
    }
  }
}

export const memoryRoutes: readonly Route[] = [exportMemories, readHistory, forget]
