// The long-term store in the LangGraph wire: items put, read, deleted and found, and the namespaces that there are.

import * as z from 'zod/mini'
import { RecollectError } from '../kernel/errors.ts'
import { parseFilter } from '../kernel/filter.ts'
import { isRecord } from '../kernel/json.ts'
import { assertNamespace, assertNamespacePrefix, isWithin, type Namespace, upToWildcard } from '../kernel/namespace.ts'
import type { FoundItem, Item, ItemSearch } from '../ports/store.ts'
import { lazily, type Output } from './lazily.ts'
import { Anything, DateTime, Flag, Integer, Text } from './plain.ts'
import { type Call, type Route, route } from './route.ts'
import { JsonObject, maybe } from './schemas.ts'
import { assertReadable, assertWritable, mayRead, ownNamespace, storeOf } from './store-access.ts'
import { filterOfWire } from './store-filter.ts'
import { unsupported } from './unsupported.ts'
import { json, noContent } from './wire.ts'

const tag = 'Store'
const scopes = ['chat', 'operate'] as const
const minuteMs = 60_000
const mostMinutes = 100 * 365 * 1_440

export const StoreItem = lazily(() =>
  z.strictObject({
    namespace: z.array(Text),
    key: Text,
    id: Text,
    value: JsonObject(),
    tags: z.array(Text),
    source: z.nullable(Text),
    author: z.nullable(Text),
    version: Integer,
    created_at: DateTime,
    updated_at: DateTime,
    expires_at: z.nullable(DateTime),
  }),
)

const FoundItems = lazily(() =>
  z.strictObject({
    items: z.array(z.extend(StoreItem(), { score: z.nullable(z.number()) })),
    more: Flag,
    mode: z.enum(['list', 'text', 'sparse', 'dense', 'hybrid']),
    degraded: z.nullable(Text),
  }),
)

const Segments = lazily(() => z.array(Text))

const putItem = route({
  method: 'PUT',
  path: '/store/items',
  scopes,
  tag,
  summary: 'Put an item',
  description:
    'Durable when it is answered, and found from then on. `ttl`: minutes without a read; null pins it; left out, it lives as long as before, a new one as its namespace has it. `index`: false, or the fields that it is found by. `source` and `author` are taken from whoever has the scope `operate`; of others they are `api` and the user.',
  body: () =>
    z.strictObject({
      namespace: Segments(),
      key: Text,
      value: JsonObject(),
      index: maybe(z.union([z.literal(false), z.array(Text)])),
      ttl: maybe(z.number()),
      tags: maybe(z.array(Text)),
      source: maybe(Text),
      author: maybe(Text),
    }),
  responses: { 204: { description: 'It is kept' } },
  handle: async ({ service, principal, timing, body, waitUntil: defer }) => {
    const { namespace, key, value, index, ttl, tags } = body
    assertNamespace(namespace)
    assertWritable(principal, namespace)
    const operates = principal.scopes.has('operate')
    const put = {
      ...{ tenant: principal.tenant, namespace, key, value, tags: tags ?? [], defer },
      source: (operates ? body.source : undefined) ?? 'api',
      author: (operates ? body.author : undefined) ?? principal.user,
      ...(index !== undefined && index !== null && { text: index === false ? (false as const) : textAt(value, index) }),
      ...(ttl !== undefined && { ttlMs: ttl === null ? null : millisecondsOf(ttl) }),
    }
    await timing.measure('storage', storeOf(service).put(put))
    return noContent()
  },
})

const getItem = route({
  method: 'GET',
  path: '/store/items',
  scopes,
  tag,
  summary: 'Read an item',
  description:
    '`namespace=users.alex`, or a name for each segment: `namespace=users&namespace=alex@example.com`. Null: there is none, or it is not for this token. A read counts its time to live anew, unless `refresh_ttl=false`.',
  query: () =>
    z.object({
      namespace: z.union([Text, Segments()]),
      key: Text,
      refresh_ttl: z.optional(z.enum(['true', 'false'])),
    }),
  responses: { 200: { description: 'The item, or null', schema: () => z.nullable(StoreItem()) } },
  handle: async ({ service, principal, timing, query }) => {
    const namespace = typeof query.namespace === 'string' ? query.namespace.split('.') : query.namespace
    assertNamespace(namespace)
    const store = storeOf(service)
    if (!mayRead(service, principal, namespace)) return json(null)
    const read = { tenant: principal.tenant, namespace, key: query.key, refresh: query.refresh_ttl !== 'false' }
    const item = await timing.measure('storage', store.get(read))
    return json(item === undefined ? null : wireItem(item))
  },
})

const deleteItem = route({
  method: 'DELETE',
  path: '/store/items',
  scopes,
  tag,
  summary: 'Delete an item, with its history',
  body: () => z.strictObject({ namespace: Segments(), key: Text }),
  responses: { 204: { description: 'It is gone, or was not there' } },
  handle: async ({ service, principal, timing, body: { namespace, key }, waitUntil: defer }) => {
    assertNamespace(namespace)
    assertWritable(principal, namespace)
    await timing.measure('storage', storeOf(service).delete({ tenant: principal.tenant, namespace, key, defer }))
    return noContent()
  },
})

const searchItems = route({
  method: 'POST',
  path: '/store/items/search',
  scopes,
  tag,
  summary: 'Find items at or below a namespace',
  description:
    'By what they say with `query`, else the latest first. `filter`: fields of the value, each with what it equals or with `$eq $ne $gt $gte $lt $lte $in $nin $exists $contains`. `where`: the same for every part of an item, as `{ "op": "and", "filters": […] }`, `{ "op": "gte", "field": "created", "value": "2026-01-01" }`. `mode` says how it was searched, and `degraded` why not as it is set up.',
  body: () =>
    z.strictObject({
      namespace_prefix: Segments(),
      query: maybe(Text),
      filter: maybe(JsonObject()),
      where: maybe(Anything),
      limit: z._default(z.int().check(z.minimum(1), z.maximum(100)), 10),
      offset: z._default(z.int().check(z.minimum(0), z.maximum(10_000)), 0),
      refresh_ttl: maybe(Flag),
    }),
  responses: { 200: { description: 'Those of one page', schema: FoundItems } },
  handle: async ({ service, principal, timing, body }) => {
    const { namespace_prefix: prefix, query, limit, offset } = body
    assertNamespacePrefix(prefix)
    assertReadable(service, principal, prefix)
    const search: ItemSearch = {
      ...{ tenant: principal.tenant, prefix, limit, offset, refresh: body.refresh_ttl !== false },
      ...(query?.trim() && { query }),
      ...filterIn(body),
    }
    const { items, ...how } = await timing.measure('storage', storeOf(service).search(search))
    return json({ items: items.map(wireFound), ...how })
  },
})

const listNamespaces = route({
  method: 'POST',
  path: '/store/namespaces',
  scopes,
  tag,
  summary: 'List namespaces that have items',
  description:
    'Without the scope `operate`: own ones, or with `prefix` those that are shared. `"*"` in `prefix` and `suffix` is any one segment.',
  body: () =>
    z.strictObject({
      prefix: maybe(Segments()),
      suffix: maybe(Segments()),
      max_depth: maybe(z.int().check(z.minimum(1), z.maximum(16))),
      limit: z._default(z.int().check(z.minimum(1), z.maximum(1_000)), 100),
      offset: z._default(z.int().check(z.minimum(0), z.maximum(10_000)), 0),
    }),
  responses: {
    200: { description: 'Each once', schema: () => z.strictObject({ namespaces: z.array(Segments()) }) },
  },
  handle: async (call) => {
    const { service, principal, timing, body } = call
    const prefix = prefixFor(call, body.prefix ?? [])
    assertReadable(service, principal, upToWildcard(prefix))
    const { limit, offset } = body
    const search = {
      ...{ tenant: principal.tenant, prefix, suffix: body.suffix ?? [], limit, offset },
      ...(body.max_depth && { maxDepth: body.max_depth }),
    }
    const namespaces = await timing.measure('storage', storeOf(service).listNamespaces(search))
    return json({ namespaces })
  },
})

export const storeRoutes: readonly Route[] = [putItem, getItem, deleteItem, searchItems, listNamespaces]

/** Who asks for all that lies above their own is given their own. */
function prefixFor({ principal }: Pick<Call, 'principal'>, prefix: Namespace): Namespace {
  assertNamespacePrefix(prefix)
  const above = isWithin(ownNamespace(principal), prefix)
  return above && !principal.scopes.has('operate') ? ownNamespace(principal) : prefix
}

function filterIn({ filter, where }: { filter?: unknown; where?: unknown }): Pick<ItemSearch, 'filter'> {
  const ofValue = isRecord(filter) ? filterOfWire(filter) : undefined
  const ofAll = where === undefined || where === null ? undefined : parseFilter(where)
  if (ofValue !== undefined && ofAll !== undefined) return { filter: { op: 'and', filters: [ofValue, ofAll] } }
  const only = ofValue ?? ofAll
  return only === undefined ? {} : { filter: only }
}

function millisecondsOf(minutes: number): number {
  if (minutes > 0 && minutes <= mostMinutes) return Math.max(1, Math.round(minutes * minuteMs))
  throw new RecollectError(
    'input_invalid',
    `ttl must be a number of minutes, above 0 and at most ${mostMinutes}, which is a hundred years, or null for as long as it is not deleted.`,
  )
}

/** The texts at these fields, `a.b` for one that lies deeper. */
function textAt(value: Readonly<Record<string, unknown>>, fields: readonly string[]): string {
  return fields
    .map((field) => {
      if (!/^[\w-]+(\.[\w-]+)*$/.test(field)) throw unsupported('index', 'fields are named as "a" or "a.b"')
      const found = field.split('.').reduce<unknown>((part, name) => {
        return isRecord(part) && Object.hasOwn(part, name) ? part[name] : undefined
      }, value)
      return typeof found === 'string' ? found : found === undefined ? '' : JSON.stringify(found)
    })
    .join('\n')
    .trim()
}

export function wireItem(item: Item): Output<typeof StoreItem> {
  const { namespace, key, id, value, tags, source, author, version, createdAt, updatedAt, expiresAt } = item
  return {
    ...{ namespace: [...namespace], key, id, value, tags: [...tags], source, author, version },
    ...{ created_at: createdAt, updated_at: updatedAt, expires_at: expiresAt },
  }
}

function wireFound({ score, ...item }: FoundItem) {
  return { ...wireItem(item), score }
}
