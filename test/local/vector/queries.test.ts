// Queries by the real @upstash/vector client, dense, sparse, hybrid and resumable: what is found, in which order, with which score.
import { FusionAlgorithm, WeightingStrategy } from '@upstash/vector'
import { beforeEach, describe, expect, it } from 'vitest'
import { dense, hybrid, ids, sparse, start } from './indexes.ts'

describe('a dense query', () => {
  const points = [
    { id: 'east', vector: [1, 0], metadata: { kind: 'axis', n: 1 }, data: 'E' },
    { id: 'north', vector: [0, 1], metadata: { kind: 'axis', n: 2 }, data: 'N' },
    { id: 'far', vector: [30, 40], metadata: { kind: 'other', n: 3 }, data: 'F' },
  ]

  it.each([
    [
      'cosine',
      [
        ['far', 1],
        ['north', 0.9],
        ['east', 0.8],
      ],
    ],
    [
      'dot_product',
      [
        ['far', 25.5],
        ['north', 0.9],
        ['east', 0.8],
      ],
    ],
    [
      'euclidean',
      [
        ['north', 0.71428573],
        ['east', 0.5555556],
        ['far', 0.00041631973],
      ],
    ],
  ])('%s ranks and scores as documented', async (similarity, expected) => {
    const { index } = await start(`dense/2/${similarity}`)
    await index.upsert(points)
    const found = await index.query({ vector: [0.6, 0.8], topK: 10 })
    expect(found.map(({ id, score }) => [id, score])).toEqual(expected)
  })

  it('gives what is asked for, at most topK of what passes the filter', async () => {
    await dense.upsert(points)
    const vector = [0.6, 0.8]
    expect(await dense.query({ vector, topK: 1, filter: "kind = 'axis'" })).toEqual([{ id: 'north', score: 0.9 }])
    expect(
      await dense.query({
        vector,
        topK: 5,
        filter: 'n < 2',
        includeVectors: true,
        includeMetadata: true,
        includeData: true,
      }),
    ).toEqual([{ ...points[0], score: 0.8 }])
    expect(await dense.query({ vector, topK: 5, filter: "kind = 'none'" })).toEqual([])
  })

  it('several at once are answered each', async () => {
    await dense.upsert(points)
    const found = await dense.queryMany([
      { vector: [1, 0], topK: 1 },
      { vector: [0, 1], topK: 2 },
    ])
    expect(found.map(ids)).toEqual([['east'], ['north', 'far']])
    expect((await dense.queryMany([{ vector: [1, 0], topK: 1 }])).map(ids)).toEqual([['east']])
  })

  it('a vector is exactly 1 from itself', async () => {
    const { index } = await start('dense/384')
    const vector = Array.from({ length: 384 }, (_, at) => at)
    await index.upsert({ id: 'a', vector })
    expect(await index.query({ vector, topK: 1, includeVectors: true })).toEqual([{ id: 'a', score: 1, vector }])
  })
})

describe('a resumable query', () => {
  it('gives its answers piece by piece, as they were when it started, until it is stopped', async () => {
    const row = (n: number) => ({ id: `row ${n}`, vector: [10, n], metadata: { n } })
    await dense.upsert(Array.from({ length: 7 }, (_, n) => row(n)))
    const vector = [1, 0]
    const query = await dense.resumableQuery({ vector, topK: 2, maxIdle: 60, filter: 'n > 0', includeMetadata: true })
    expect(query.result.map(({ metadata }) => metadata)).toEqual([{ n: 1 }, { n: 2 }])
    await dense.delete('row 3')
    expect(ids(await query.fetchNext(3))).toEqual(['row 3', 'row 4', 'row 5'])
    expect(ids(await query.fetchNext(3))).toEqual(['row 6'])
    expect(await query.fetchNext(3)).toEqual([])
    expect(await query.stop()).toBe('Success')
    expect(() => query.fetchNext(1)).toThrow('already been stopped')
  })

  it('by text, in a namespace, and forgotten when it is idle for too long', async () => {
    let now = 0
    const { index } = await start('sparse', { clock: () => now })
    const words = index.namespace('words')
    await words.upsert(['tea', 'green tea', 'coffee'].map((data) => ({ id: data, data })))
    const query = await words.resumableQuery({ data: 'tea', topK: 1, maxIdle: 2 })
    expect(ids(query.result)).toEqual(['tea'])
    now += 2_000
    expect(ids(await query.fetchNext(5))).toEqual(['green tea'])
    now += 2_001
    await expect(query.fetchNext(1)).rejects.toThrow('does not exist')
  })
})

describe('a sparse query', () => {
  beforeEach(() =>
    sparse.upsert([
      { id: 'a', sparseVector: { indices: [1, 2], values: [1, 2] } },
      { id: 'b', sparseVector: { indices: [2, 3], values: [1, 1] } },
      { id: 'c', sparseVector: { indices: [4], values: [9] } },
    ]),
  )

  it('is the inner product, of rows that share an index', async () => {
    const found = await sparse.query({ sparseVector: { indices: [2, 3], values: [0.5, 0.25] }, topK: 10 })
    expect(found).toEqual([
      { id: 'a', score: 1 },
      { id: 'b', score: 0.75 },
    ])
    expect(await sparse.query({ sparseVector: { indices: [7], values: [1] }, topK: 10 })).toEqual([])
  })

  it('is weighted by how rare an index is, and knows of deletions', async () => {
    const query = {
      sparseVector: { indices: [2, 4], values: [1, 1] },
      topK: 10,
      weightingStrategy: WeightingStrategy.IDF,
    }
    const rarity = (having: number, all: number) => Math.log(1 + (all - having + 0.5) / (having + 0.5))
    expect(await sparse.query(query)).toEqual([
      { id: 'c', score: expect.closeTo(9 * rarity(1, 3), 6) },
      { id: 'a', score: expect.closeTo(2 * rarity(2, 3), 6) },
      { id: 'b', score: expect.closeTo(rarity(2, 3), 6) },
    ])
    await sparse.delete('b')
    expect((await sparse.query(query)).at(-1)?.score).toBeCloseTo(2 * rarity(1, 2), 6)
  })
})

describe('a hybrid query', () => {
  const rows = [
    { id: 'both', vector: [1, 0], sparseVector: { indices: [1], values: [1] } },
    { id: 'near', vector: [1, 0.1], sparseVector: { indices: [2], values: [1] } },
    { id: 'word', vector: [-1, 0], sparseVector: { indices: [1], values: [2] } },
  ]
  beforeEach(() => hybrid.upsert(rows))

  const vector = [1, 0]
  const sparseVector = { indices: [1], values: [1] }
  const f32 = Math.fround

  it('RRF adds 1 / (60 + rank from 0) of each list', async () => {
    const found = await hybrid.query({ vector, sparseVector, topK: 10 })
    expect(ids(found)).toEqual(['both', 'word', 'near'])
    expect(found.map(({ score }) => f32(score))).toEqual([1 / 60 + 1 / 61, 1 / 60 + 1 / 62, 1 / 61].map(f32))
    expect(await hybrid.query({ vector, sparseVector, topK: 1 })).toEqual(found.slice(0, 1))
    expect(await hybrid.query({ vector, sparseVector, topK: 10, fusionAlgorithm: FusionAlgorithm.RRF })).toEqual(found)
  })

  it('DBSF adds where each score lies among its list', async () => {
    const place = (score: number, list: number[]) => {
      const mean = list.reduce((sum, one) => sum + one, 0) / list.length
      const deviation = Math.sqrt(list.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (list.length - 1))
      return (score - (mean - 3 * deviation)) / (6 * deviation)
    }
    const near = (1 + 1 / Math.hypot(1, 0.1)) / 2
    const densely = [1, near, 0]
    const found = await hybrid.query({ vector, sparseVector, topK: 10, fusionAlgorithm: FusionAlgorithm.DBSF })
    expect(Object.fromEntries(found.map(({ id, score }) => [id, score]))).toEqual({
      both: expect.closeTo(place(1, densely) + place(1, [1, 2]), 5),
      near: expect.closeTo(place(near, densely), 5),
      word: expect.closeTo(place(0, densely) + place(2, [1, 2]), 5),
    })
  })

  it('with one part alone has the raw scores of that part', async () => {
    expect(await hybrid.query({ vector, topK: 1 })).toEqual([{ id: 'both', score: 1 }])
    expect(await hybrid.query({ sparseVector, topK: 1 })).toEqual([{ id: 'word', score: 2 }])
  })
})
