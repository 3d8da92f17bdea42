// A query, by vectors or by text, over one part of the index or fused over both.
import { hashedWords } from '../model/embedding.ts'
import { fused } from './fusion.ts'
import { assertKnown } from './index-kind.ts'
import { assertDimension, assertEmbeds, type Place } from './operations.ts'
import type { Match } from './ranking.ts'
import type { QueryDataItem, QueryItem } from './request.ts'
import { type Row, type Sparse, shown } from './row.ts'
import { unprocessable } from './vector-error.ts'
import { queryWords } from './words.ts'

/** How many of each part are fused: more than are asked for, since the best of the sum need not lead in either. */
const fusedFor = (limit: number) => Math.max(1_000, 10 * limit)

export interface Asked {
  readonly vector: Float32Array | undefined
  readonly sparse: Sparse | undefined
}

export function askedByVectors({ index }: Place, { vector, sparseVector }: QueryItem): Asked {
  if (vector === undefined && sparseVector === undefined)
    throw unprocessable('Either vector or sparseVector must be provided.')
  assertKnown(index.kind, { vector: vector !== undefined, sparse: sparseVector !== undefined })
  assertDimension(index.kind, vector)
  return { vector, sparse: sparseVector }
}

export function askedByText(place: Place, { data, queryMode }: QueryDataItem): Asked {
  assertEmbeds(place)
  const { kind } = place.index
  const mode = queryMode ?? kind.type
  if (kind.type !== 'HYBRID' && mode !== kind.type) throw unprocessable(`The query mode ${mode} needs a hybrid index`)
  return {
    vector: mode === 'SPARSE' ? undefined : hashedWords(data, kind.dimension),
    sparse: mode === 'DENSE' ? undefined : queryWords(data),
  }
}

export type QueryOptions = Omit<QueryItem, 'vector' | 'sparseVector'>

/** Best first, at most `limit`. */
export function ranked(
  { index, namespace }: Place,
  { filter, weightingStrategy, fusionAlgorithm }: QueryOptions,
  { vector, sparse, limit }: Asked & { readonly limit: number },
): readonly Match[] {
  const searched = index.searched(namespace)
  if (searched === undefined) return []
  const matches = filter === undefined ? () => true : ({ metadata }: Row) => filter(metadata)
  const both = vector !== undefined && sparse !== undefined
  const search = { limit: both ? fusedFor(limit) : limit, matches, only: filter?.only }
  const lists: Match[][] = []
  if (vector !== undefined) lists.push(searched.dense(vector, index.kind.similarity, search))
  if (sparse !== undefined) lists.push(searched.sparse(sparse, weightingStrategy === 'IDF', search))
  return both ? fused(lists, fusionAlgorithm).slice(0, limit) : lists.flat()
}

export function answer(place: Place, options: QueryOptions, asked: Asked) {
  return ranked(place, options, { ...asked, limit: options.topK }).map(({ row, score }) => shown(row, options, score))
}
