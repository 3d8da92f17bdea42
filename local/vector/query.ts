// A query, by vectors or by text, over one part of the index or fused over both.
import { hashedWords } from '../model/embedding.ts'
import { fused } from './fusion.ts'
import { assertKnown, hasDense, hasSparse } from './index-kind.ts'
import { assertDimension, assertEmbeds, type Place } from './operations.ts'
import type { Match } from './ranking.ts'
import type { QueryDataItem, QueryItem } from './request.ts'
import { type Row, type Sparse, shown } from './row.ts'
import { unprocessable } from './vector-error.ts'
import { queryWords } from './words.ts'

/** How many of each part are fused: more than are asked for, since the best of the sum need not lead in either. */
const fusedFor = (topK: number) => Math.max(1_000, 10 * topK)

export function queried(place: Place, query: QueryItem) {
  const { vector, sparseVector } = query
  const { kind } = place.index
  if (vector === undefined && sparseVector === undefined)
    throw unprocessable('Either vector or sparseVector must be provided.')
  assertKnown(kind, { vector: vector !== undefined, sparse: sparseVector !== undefined })
  assertDimension(kind, vector)
  return best(place, query, { vector, sparse: sparseVector })
}

export function queriedText(place: Place, query: QueryDataItem) {
  assertEmbeds(place)
  const { kind } = place.index
  const { data, queryMode = kind.type } = query
  if (kind.type !== 'HYBRID' && queryMode !== kind.type)
    throw unprocessable(`The query mode ${queryMode} needs a hybrid index`)
  return best(place, query, {
    vector: hasDense(kind) && queryMode !== 'SPARSE' ? hashedWords(data, kind.dimension) : undefined,
    sparse: hasSparse(kind) && queryMode !== 'DENSE' ? queryWords(data) : undefined,
  })
}

function best(
  { index, namespace }: Place,
  { topK, filter, weightingStrategy, fusionAlgorithm, ...include }: Omit<QueryItem, 'vector' | 'sparseVector'>,
  { vector, sparse }: { vector: Float32Array | undefined; sparse: Sparse | undefined },
) {
  const searched = index.searched(namespace)
  if (searched === undefined) return []
  const matches = filter === undefined ? () => true : ({ metadata }: Row) => filter(metadata)
  const both = vector !== undefined && sparse !== undefined
  const search = { limit: both ? fusedFor(topK) : topK, matches }
  const lists: Match[][] = []
  if (vector !== undefined) lists.push(searched.dense(vector, index.kind.similarity, search))
  if (sparse !== undefined) lists.push(searched.sparse(sparse, weightingStrategy === 'IDF', search))
  const ranked = both ? fused(lists, fusionAlgorithm) : lists.flat()
  return ranked.slice(0, topK).map(({ row, score }) => shown(row, include, score))
}
