// Search is exact: what a query finds is what sorting everything would find.
import { describe, expect, it } from 'vitest'
import { filterOf } from '../../../local/vector/filter.ts'
import { fused } from '../../../local/vector/fusion.ts'
import { type IndexKind, similarities } from '../../../local/vector/index-kind.ts'
import { byRank, type Match } from '../../../local/vector/ranking.ts'
import { rowOf } from '../../../local/vector/row.ts'
import { VectorIndex } from '../../../local/vector/vector-index.ts'
import { forSeeds, type Random } from '../../kernel/random.ts'

const floats = (random: Random, count: number) =>
  Float32Array.from({ length: count }, () => (random.int(2001) - 1000) / 500)

function sparse(random: Random) {
  const indices = [...new Set(Array.from({ length: random.int(5) }, () => random.int(12)))]
  return { indices: Int32Array.from(indices), values: floats(random, indices.length) }
}

const plainDot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)

const plainScores: Record<IndexKind['similarity'], (a: Float32Array, b: Float32Array) => number> = {
  COSINE: (a, b) => {
    const lengths = Math.sqrt(plainDot(a, a)) * Math.sqrt(plainDot(b, b))
    return lengths === 0 ? 0.5 : (1 + plainDot(a, b) / lengths) / 2
  },
  DOT_PRODUCT: (a, b) => (1 + plainDot(a, b)) / 2,
  EUCLIDEAN: (a, b) => 1 / (1 + a.reduce((sum, value, at) => sum + (value - (b[at] ?? 0)) ** 2, 0)),
}

const scoresOf = (matches: readonly Match[]) => matches.map(({ score }) => score)

/** The order of sums differs, so a score may differ by a rounding, and two such rows may change places. */
function expectSame(found: readonly Match[], expected: readonly Match[], limit: number) {
  const sorted = expected.toSorted(byRank)
  expect(found).toHaveLength(Math.min(limit, sorted.length))
  expect(scoresOf(found)).toEqual(scoresOf(sorted.slice(0, limit)).map((score) => expect.closeTo(score, 5)))
  const own = new Map(expected.map(({ row, score }) => [row.id, score]))
  for (const { row, score } of found) expect(score).toBeCloseTo(own.get(row.id) ?? Number.NaN, 5)
  expect(new Set(found.map(({ row }) => row.id)).size).toBe(found.length)
}

describe('the best of a random index, after random writes and deletions, are those of sorting it all', () => {
  it.each(similarities)('%s, and sparse, with and without IDF', (similarity) => {
    forSeeds(60, (random) => {
      const dimension = 1 + random.int(9)
      const index = new VectorIndex({ kind: { type: 'HYBRID', dimension, similarity } })
      for (let writes = random.int(8); writes >= 0; writes--) {
        const rows = Array.from({ length: random.int(30) }, () => ({
          id: `row ${random.int(60)}`,
          vector: floats(random, dimension),
          sparse: sparse(random),
          metadata: { even: random.chance(0.5), colour: random.pick(['red', 'blue']) },
        }))
        // Often enough that what is gone is tidied away.
        for (let time = random.pick([1, 1, 50]); time > 0; time--) index.upsert('', rows)
        index.delete(
          '',
          Array.from({ length: random.int(10) }, () => `row ${random.int(60)}`),
        )
      }
      const rows = [...index.rows('').values()]
      const filter = filterOf(random.pick(["colour = 'red'", "even = true AND colour = 'red'", 'HAS FIELD even']))
      const { only } = filter
      const matches = (row: (typeof rows)[number]) => filter(row.metadata)
      const limit = random.pick([1, 2, 5, 20, 1_000])
      const query = floats(random, dimension)
      const searched = index.searched('')
      const plain = plainScores[similarity]
      const kept = rows.filter(matches)
      expectSame(
        searched?.dense(query, similarity, { limit, matches, only }) ?? [],
        kept.map((row) => ({ row, score: plain(row.vector ?? query, query) })),
        limit,
      )
      const asked = sparse(random)
      const having = (at: number) =>
        rows.filter(({ sparse }) =>
          [...(sparse?.indices ?? [])].some((own, place) => own === at && sparse?.values[place] !== 0),
        )
      for (const idf of [false, true]) {
        const weight = (at: number) =>
          idf ? Math.log(1 + (rows.length - having(at).length + 0.5) / (having(at).length + 0.5)) : 1
        const score = (row: (typeof rows)[number]) =>
          [...asked.indices].reduce((sum, at, place) => {
            const own = row.sparse?.values[row.sparse.indices.indexOf(at)] ?? 0
            return sum + own * (asked.values[place] ?? 0) * weight(at)
          }, 0)
        expectSame(
          searched?.sparse(asked, idf, { limit, matches, only }) ?? [],
          kept
            .filter((row) => [...asked.indices].some((at) => having(at).includes(row)))
            .map((row) => ({ row, score: score(row) })),
          limit,
        )
      }
    })
  })
})

describe('fusion', () => {
  const match = (id: string, score: number): Match => ({ row: rowOf({ id }, 0), score: Math.fround(score) })

  it('RRF gives what Upstash publishes: 2/60 for the first of both, ranks from 0', () => {
    const [a, b, c] = [match('a', 3), match('b', 2), match('c', 1)]
    expect(
      scoresOf(
        fused(
          [
            [a, b, c],
            [a, c, b],
          ],
          'RRF',
        ),
      ),
    ).toEqual([2 / 60, 1 / 61 + 1 / 62, 1 / 62 + 1 / 61].map(Math.fround))
  })

  it('DBSF of one score, or of equal ones, is in the middle', () => {
    expect(scoresOf(fused([[match('a', 9)], []], 'DBSF'))).toEqual([0.5])
    expect(scoresOf(fused([[match('a', 2), match('b', 2)]], 'DBSF'))).toEqual([0.5, 0.5])
  })
})
