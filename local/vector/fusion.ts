// One list out of the dense and the sparse matches of a hybrid index.
import { byRank, type Match } from './ranking.ts'
import type { Row } from './row.ts'

export type FusionAlgorithm = 'RRF' | 'DBSF'

/** Each list is ordered, best first. A row that is in several has the sum of its scores. */
export function fused(lists: readonly (readonly Match[])[], algorithm: FusionAlgorithm): Match[] {
  const sums = new Map<Row, number>()
  for (const list of lists) {
    const mapped = algorithm === 'RRF' ? list.map((_, rank) => 1 / (rank + 60)) : normalized(list)
    for (const [at, { row }] of list.entries()) sums.set(row, Math.fround((sums.get(row) ?? 0) + (mapped[at] ?? 0)))
  }
  return [...sums].map(([row, score]) => ({ row, score })).sort(byRank)
}

/** Where a score lies between three standard deviations (of a sample) below the mean, 0, and as many above, 1. */
function normalized(list: readonly Match[]): number[] {
  const { fround } = Math
  const mean = fround(list.reduce((sum, { score }) => fround(sum + score), 0) / list.length)
  const squares = list.reduce((sum, { score }) => fround(sum + fround(fround(score - mean) ** 2)), 0)
  const deviation = list.length < 2 ? 0 : fround(Math.sqrt(fround(squares / (list.length - 1))))
  const low = fround(mean - fround(3 * deviation))
  const width = fround(fround(mean + fround(3 * deviation)) - low)
  return list.map(({ score }) => (width === 0 ? 0.5 : fround(fround(score - low) / width)))
}
