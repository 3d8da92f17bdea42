// What each route does with a checked body.
import { hashedWords } from '../model/embedding.ts'
import { filterOf } from './filter.ts'
import { assertComplete, assertKnown, hasDense, hasSparse, type IndexKind } from './index-kind.ts'
import type { Update, UpsertDataItem, UpsertItem } from './request.ts'
import type { Metadata, Row, RowContent, Shown } from './row.ts'
import { shown } from './row.ts'
import { unprocessable } from './vector-error.ts'
import type { VectorIndex } from './vector-index.ts'
import { documentWords } from './words.ts'

const mostFetched = 1_000

export interface Place {
  readonly index: VectorIndex
  readonly namespace: string
  /** Whether texts are embedded here, as in an index that was created with Upstash's models. */
  readonly embeds: boolean
}

export function upsert({ index, namespace }: Place, items: readonly UpsertItem[]): void {
  const rows = items.map(({ id, vector, sparseVector, metadata, data }) => {
    assertComplete(index.kind, { vector: vector !== undefined, sparse: sparseVector !== undefined })
    assertDimension(index.kind, vector)
    return { id, vector, sparse: sparseVector, metadata, data }
  })
  index.upsert(namespace, rows)
}

export function upsertData(place: Place, items: readonly UpsertDataItem[]): void {
  assertEmbeds(place)
  place.index.upsert(
    place.namespace,
    items.map((item) => ({ ...item, ...embedded(place.index.kind, item.data) })),
  )
}

/** How many were updated: 0 or 1. */
export function update({ index, namespace, embeds }: Place, change: Update): number {
  const { id, vector, sparseVector, metadata, metadataUpdateMode, data } = change
  const given = { vector: vector !== undefined, sparse: sparseVector !== undefined }
  assertKnown(index.kind, given)
  if (given.vector || given.sparse) assertComplete(index.kind, given)
  assertDimension(index.kind, vector)
  const row = index.rows(namespace).get(id)
  if (row === undefined) return 0
  const vectors = given.vector || given.sparse ? { vector, sparse: sparseVector } : undefined
  const embedding = data !== undefined && embeds ? embedded(index.kind, data) : undefined
  const content: RowContent = {
    id,
    ...(vectors ?? embedding ?? { vector: row.vector, sparse: row.sparse }),
    metadata: metadata === undefined ? row.metadata : changed(row.metadata, metadata, metadataUpdateMode),
    data: data ?? row.data,
  }
  index.upsert(namespace, [content])
  return 1
}

export interface Chosen {
  readonly ids?: readonly string[] | undefined
  readonly prefix?: string | undefined
  readonly filter?: string | undefined
}

/** In the order of the ids, null where there is none; or those whose id begins so. */
export function fetched({ index, namespace }: Place, { ids, prefix, ...include }: Chosen & Shown) {
  if ((ids === undefined) === (prefix === undefined)) throw unprocessable('Only one of ids or prefix must be provided.')
  const rows = index.rows(namespace)
  if (ids !== undefined) {
    return ids.map((id) => {
      const row = rows.get(id)
      return row === undefined ? null : shown(row, include)
    })
  }
  const found = beginning(rows, prefix ?? '')
  if (found.length > mostFetched)
    throw unprocessable(`More than ${mostFetched} vectors begin with that prefix: use range.`)
  return found.map((row) => shown(row, include))
}

export interface Page extends Shown {
  readonly cursor: number
  readonly limit: number
  readonly prefix: string
}

/** The cursor is the place of the last row that was returned, in the order of first writing; so nothing is skipped when rows are deleted between pages. */
export function ranged({ index, namespace }: Place, { cursor, limit, prefix, ...include }: Page) {
  const rows = index.rows(namespace)
  const left = beginning(rows, prefix).filter(({ sequence }) => sequence >= cursor)
  const page = left.slice(0, limit)
  const last = page.at(-1)
  return {
    nextCursor: last === undefined || left.length <= limit ? '' : String(last.sequence + 1),
    vectors: page.map((row) => shown(row, include)),
  }
}

export function deleted({ index, namespace }: Place, { ids, prefix, filter }: Chosen): number {
  if ([ids, prefix, filter].filter((one) => one !== undefined).length !== 1)
    throw unprocessable('Only and only one of the ids, prefix, or filter must be provided.')
  const rows = index.rows(namespace)
  if (ids !== undefined) return index.delete(namespace, ids)
  const gone = prefix !== undefined ? beginning(rows, prefix) : passing(rows, filter ?? '')
  return index.delete(
    namespace,
    gone.map(({ id }) => id),
  )
}

export function assertDimension({ dimension }: IndexKind, vector: Float32Array | undefined): void {
  if (vector !== undefined && vector.length !== dimension)
    throw unprocessable(`Invalid vector dimension: ${vector.length}, expected: ${dimension}`)
}

export function assertEmbeds({ embeds }: Place): void {
  if (!embeds)
    throw unprocessable(
      'Embedding data for this index is not allowed. The index must be created with an embedding model to use it.',
    )
}

function embedded(kind: IndexKind, text: string): Pick<RowContent, 'vector' | 'sparse'> {
  return {
    vector: hasDense(kind) ? hashedWords(text, kind.dimension) : undefined,
    sparse: hasSparse(kind) ? documentWords(text) : undefined,
  }
}

function beginning(rows: ReadonlyMap<string, Row>, prefix: string): Row[] {
  return [...rows.values()].filter(({ id }) => id.startsWith(prefix))
}

function passing(rows: ReadonlyMap<string, Row>, filter: string): Row[] {
  const passes = filterOf(filter)
  return [...rows.values()].filter(({ metadata }) => passes(metadata))
}

function changed(old: Metadata | undefined, given: Metadata, mode: Update['metadataUpdateMode']): Metadata {
  return mode === 'PATCH' ? merged(old, given) : given
}

/** RFC 7396: null takes a field away, objects are merged, all else replaces. */
function merged(old: unknown, patch: Metadata): Metadata {
  const fields = new Map(isObject(old) ? Object.entries(old) : [])
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) fields.delete(name)
    else fields.set(name, isObject(value) ? merged(fields.get(name), value) : value)
  }
  return Object.fromEntries(fields)
}

function isObject(value: unknown): value is Metadata {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
