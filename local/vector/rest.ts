// Upstash Vector's REST protocol: a route, perhaps a namespace, a JSON body; `{ result }`, or `{ error, status }`.
//
// The published client puts namespaces into the path as they are, so that `../reset?all` is a reset of all. So it is here:
// whoever makes namespaces of what users say must be found out on the local stack too.
import { json, type WireReply, type WireRequest } from '../stand-in.ts'
import { hasDense, hasSparse } from './index-kind.ts'
import { deleted, fetched, type Place, ranged, update, upsert, upsertData } from './operations.ts'
import { type Asked, answer, askedByText, askedByVectors, type QueryOptions, ranked } from './query.ts'
import { bodies, bodyOf } from './request.ts'
import { ResumableQueries } from './resumable.ts'
import { VectorError } from './vector-error.ts'
import type { VectorIndex } from './vector-index.ts'

export interface RestOptions {
  readonly index: VectorIndex
  readonly token: string
  readonly embeds: boolean
  readonly clock?: () => number
}

interface ServedPlace extends Place {
  readonly resumable: ResumableQueries
}

/** What it gives is the result; nothing, and the result is `Success`. */
type Route = (place: ServedPlace, request: WireRequest) => unknown

const methods = new Set(['GET', 'POST', 'PUT', 'DELETE'])

/** With or without a namespace after them. */
const routes: Readonly<Record<string, Route>> = {
  upsert: (place, { body }) => upsert(place, bodyOf(body, bodies.upsert)),
  'upsert-data': (place, { body }) => upsertData(place, bodyOf(body, bodies.upsertData)),
  update: (place, { body }) => ({ updated: update(place, bodyOf(body, bodies.update)) }),
  query: (place, { body }) =>
    unwrapped(bodyOf(body, bodies.query).map((query) => answer(place, query, askedByVectors(place, query)))),
  'query-data': (place, { body }) =>
    unwrapped(bodyOf(body, bodies.queryData).map((query) => answer(place, query, askedByText(place, query)))),
  'resumable-query': (place, { body }) => {
    const query = bodyOf(body, bodies.resumableQuery)
    return started(place, query, askedByVectors(place, query))
  },
  'resumable-query-data': (place, { body }) => {
    const query = bodyOf(body, bodies.resumableQueryData)
    return started(place, query, askedByText(place, query))
  },
  fetch: (place, { body }) => fetched(place, bodyOf(body, bodies.fetch)),
  range: (place, { body }) => ranged(place, bodyOf(body, bodies.range)),
  delete: (place, { body }) => ({ deleted: deleted(place, bodyOf(body, bodies.delete)) }),
  reset: ({ index, namespace }, { query }) => {
    const names = query.has('all') ? [...index.namespaces.keys()] : [namespace]
    for (const name of names) index.reset(name)
  },
  'delete-namespace': ({ index, namespace }) => index.drop(namespace),
}

/** Without a namespace. */
const wholeIndex: Readonly<Record<string, Route>> = {
  info: ({ index, embeds }) => info(index, embeds),
  'list-namespaces': ({ index }) => [...index.namespaces.keys()],
  'resumable-query-next': ({ resumable }, { body }) => {
    const { uuid, additionalK } = bodyOf(body, bodies.resumableQueryNext)
    return resumable.next(uuid, additionalK)
  },
  'resumable-query-end': ({ resumable }, { body }) => resumable.end(bodyOf(body, bodies.resumableQueryEnd).uuid),
}

const elsewhere = new Set(['rename-namespace', 'random'])

export function restHandler({
  index,
  token,
  embeds,
  clock = Date.now,
}: RestOptions): (request: WireRequest) => Promise<WireReply> {
  const resumable = new ResumableQueries(clock)
  return async (request) => {
    const segments = request.path.split('/').slice(1).map(decoded)
    const [name = '', namespace = '', ...rest] = segments
    const operations = [name]
    try {
      if (request.headers.authorization !== `Bearer ${token}`)
        throw new VectorError(401, 'Unauthorized: Invalid auth token')
      if (!methods.has(request.method)) throw new VectorError(405, 'Method Not Allowed')
      const route = routeOf(name, namespace)
      if (route === undefined || rest.length > 0) throw new VectorError(404, `There is no route ${request.path}`)
      return json({ result: route({ index, namespace, embeds, resumable }, request) ?? 'Success' }, 200, operations)
    } catch (error) {
      if (error instanceof VectorError) return error.reply(operations)
      throw error
    }
  }
}

function routeOf(name: string, namespace: string): Route | undefined {
  if (elsewhere.has(name)) throw new VectorError(501, `${name} is not available in the local stack`)
  if (Object.hasOwn(routes, name)) return routes[name]
  return namespace === '' && Object.hasOwn(wholeIndex, name) ? wholeIndex[name] : undefined
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** Of a list of one query the answer is the same as of that query alone. */
const unwrapped = <Answer>(answers: readonly Answer[]) => (answers.length === 1 ? answers[0] : answers)

function started(place: ServedPlace, query: QueryOptions & { readonly maxIdle: number }, asked: Asked) {
  const matches = ranked(place, query, { ...asked, limit: Number.POSITIVE_INFINITY })
  return place.resumable.start({ matches, include: query, maxIdleMs: query.maxIdle * 1_000 }, query.topK)
}

function info(index: VectorIndex, embeds: boolean) {
  const { kind } = index
  const namespaces = index.counts()
  const total = (count: 'vectorCount' | 'pendingVectorCount') =>
    Object.values(namespaces).reduce((sum, counts) => sum + counts[count], 0)
  const rows = [...index.namespaces.values()].flatMap((namespace) => [...namespace.rows.values()])
  const { dimension, similarity: similarityFunction } = kind
  return {
    vectorCount: total('vectorCount'),
    pendingVectorCount: total('pendingVectorCount'),
    indexSize: rows.reduce((sum, { bytes }) => sum + bytes, 0),
    dimension,
    similarityFunction,
    indexType: kind.type,
    ...(hasDense(kind) && {
      denseIndex: { dimension, similarityFunction, ...(embeds && { embeddingModel: 'LOCAL_HASHED_WORDS' }) },
    }),
    ...(hasSparse(kind) && { sparseIndex: embeds ? { embeddingModel: 'BM25' } : {} }),
    namespaces,
  }
}
