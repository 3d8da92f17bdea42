// What a caller of the real @upstash/vector client sees.
import { FusionAlgorithm, Index, QueryMode, WeightingStrategy } from '@upstash/vector'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { indexKindOf } from '../../../local/vector/index-kind.ts'
import { type ThrowawayVector, throwawayVector } from '../../../local/vector/throwaway-vector.ts'

const started: ThrowawayVector[] = []

async function start(kind: string, options: Parameters<typeof throwawayVector>[0] = {}) {
  const server = await throwawayVector({ ...options, kind: indexKindOf(kind) })
  started.push(server)
  const index = new Index({ url: server.url, token: server.token, retry: { retries: 0 } })
  return { server, index }
}

let dense: Index
let sparse: Index
let hybrid: Index
/** Two dimensions are too few for texts. */
let embedding: Index
let server: ThrowawayVector

beforeAll(async () => {
  ;({ index: dense, server } = await start('dense/2'))
  ;({ index: sparse } = await start('sparse'))
  ;({ index: hybrid } = await start('hybrid/2'))
  ;({ index: embedding } = await start('hybrid/64'))
})
afterAll(() => Promise.all(started.map(({ stop }) => stop())))
beforeEach(async () => {
  for (const index of [dense, sparse, hybrid, embedding]) {
    await index.reset({ all: true })
    for (const name of await index.listNamespaces()) if (name !== '') await index.deleteNamespace(name)
  }
})

const ids = (rows: readonly ({ id: string | number } | null)[]) => rows.map((row) => row?.id)

describe('upsert and fetch', () => {
  it('what was written is read back: ids as texts, numbers as the shortest decimals of 32-bit floats', async () => {
    const one = { id: 1, vector: [0.1, -2.5e-7], metadata: { a: [1, { b: null }] }, data: 'text\0 é' }
    expect(await dense.upsert([one, { id: 'two', vector: [1 / 3, 16777217] }])).toBe('Success')
    const all = { includeVectors: true, includeMetadata: true, includeData: true }
    expect(await dense.fetch(['two', 'none', '1'], all)).toEqual([
      { id: 'two', vector: [0.33333334, 16777216] },
      null,
      { ...one, id: '1' },
    ])
    expect(await dense.fetch([1])).toEqual([{ id: '1' }])
  })

  it('a later write of an id replaces all of it, also within one request', async () => {
    // The client's types know no data beside a vector in a literal; its wire does.
    const first = { id: 'a', vector: [1, 0], metadata: { first: true }, data: 'first' }
    await dense.upsert([first, { id: 'a', vector: [0, 1] }])
    expect(await dense.fetch(['a'], { includeVectors: true, includeMetadata: true, includeData: true })).toEqual([
      { id: 'a', vector: [0, 1] },
    ])
    expect((await dense.info()).vectorCount).toBe(1)
  })

  it('odd ids come back as they went in', async () => {
    const odd = ['a/b', '../x', '?all', '%2e', '😀', ' ', '__proto__', 'x'.repeat(1_000), '\u0000']
    await dense.upsert(odd.map((id) => ({ id, vector: [1, 1], metadata: { __id: id } })))
    const rows = await dense.fetch(odd, { includeMetadata: true })
    expect(rows).toEqual(odd.map((id) => ({ id, metadata: { __id: id } })))
    expect(await dense.delete(odd)).toEqual({ deleted: odd.length })
  })

  it('by prefix', async () => {
    await dense.upsert(['a1', 'a2', 'b1'].map((id) => ({ id, vector: [1, 1] })))
    expect(ids(await dense.fetch({ prefix: 'a' }))).toEqual(['a1', 'a2'])
    expect(await dense.fetch({ prefix: 'c' })).toEqual([])
  })

  it('sparse vectors', async () => {
    const sparseVector = { indices: [5, -7, 2147483647], values: [0.1, 0.5, 1] }
    await sparse.upsert({ id: 'a', sparseVector })
    expect(await sparse.fetch(['a'], { includeVectors: true })).toEqual([{ id: 'a', sparseVector }])
  })
})

describe('update', () => {
  it('changes what is given and leaves the rest', async () => {
    await dense.upsert({ id: 'a', vector: [1, 0], metadata: { a: 1 }, data: 'old' })
    expect(await dense.update({ id: 'a', vector: [0, 1] })).toEqual({ updated: 1 })
    expect(await dense.update({ id: 'a', metadata: { b: 2 } })).toEqual({ updated: 1 })
    expect(await dense.fetch(['a'], { includeVectors: true, includeMetadata: true, includeData: true })).toEqual([
      { id: 'a', vector: [0, 1], metadata: { b: 2 }, data: 'old' },
    ])
    expect(await dense.update({ id: 'none', metadata: {} })).toEqual({ updated: 0 })
  })

  it('patches metadata by RFC 7396', async () => {
    await dense.upsert({
      id: 'a',
      vector: [1, 0],
      metadata: { keep: 1, drop: 2, deep: { keep: 1, drop: 2 }, list: [1] },
    })
    await dense.update({
      id: 'a',
      metadata: { drop: null, deep: { drop: null, fresh: 3 }, list: [2], made: { x: null, y: 1 } },
      metadataUpdateMode: 'PATCH',
    })
    const [row] = await dense.fetch(['a'], { includeMetadata: true })
    expect(row?.metadata).toEqual({ keep: 1, deep: { keep: 1, fresh: 3 }, list: [2], made: { y: 1 } })
  })

  it('new data is embedded anew', async () => {
    await hybrid.upsert({ id: 'a', data: 'green tea' })
    await hybrid.update({ id: 'a', data: 'black coffee' })
    expect(ids(await hybrid.query({ data: 'coffee', topK: 1, queryMode: QueryMode.SPARSE }))).toEqual(['a'])
    expect(await hybrid.query({ data: 'tea', topK: 1, queryMode: QueryMode.SPARSE })).toEqual([])
  })
})

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

describe('texts that the index embeds', () => {
  const texts = {
    tea: 'Ada prefers green tea in the mornings.',
    deploy: 'The team deploys the billing service on Fridays.',
    cat: 'Her cats are called Turing and Hopper.',
  }
  beforeEach(() => embedding.upsert(Object.entries(texts).map(([id, data]) => ({ id, data, metadata: { id } }))))

  it.each(Object.values(QueryMode))('are found by stems, without stop words: %s', async (queryMode) => {
    const best = async (data: string) => ids(await embedding.query({ data, topK: 1, queryMode }))
    expect(await best('green tea')).toEqual(['tea'])
    if (queryMode !== QueryMode.DENSE) {
      expect(await best('deploying services')).toEqual(['deploy'])
      expect(await best('what is the cat called?')).toEqual(['cat'])
    }
    expect(await embedding.query({ data: 'the and of', topK: 5, queryMode: QueryMode.SPARSE })).toEqual([])
  })

  it('a short text that has a rare word twice beats a long one that has it once', async () => {
    await sparse.upsert([
      { id: 'once', data: `${'filler word stuffing '.repeat(20)} espresso` },
      { id: 'twice', data: 'espresso, espresso' },
      ...Array.from({ length: 5 }, (_, at) => ({ id: `other ${at}`, data: 'filler coffee' })),
    ])
    const found = await sparse.query({ data: 'espresso filler', topK: 2, weightingStrategy: WeightingStrategy.IDF })
    expect(found[0]?.id).toBe('twice')
  })

  it('keep their data and metadata, and their vectors can be read', async () => {
    const [row] = await embedding.fetch(['tea'], { includeData: true, includeMetadata: true, includeVectors: true })
    expect(row).toMatchObject({ id: 'tea', data: texts.tea, metadata: { id: 'tea' } })
    expect(row?.vector).toHaveLength(64)
    // ada, prefer, green, tea, morn
    expect(row?.sparseVector?.indices).toHaveLength(5)
  })

  it('are refused where the index has no models', async () => {
    const { index } = await start('hybrid/2', { embeds: false })
    const problem = 'Embedding data for this index is not allowed.'
    await expect(index.upsert({ id: 'a', data: 'x' })).rejects.toThrow(problem)
    await expect(index.query({ data: 'x', topK: 1 })).rejects.toThrow(problem)
    expect((await index.info()).sparseIndex).toEqual({})
  })
})

describe('range', () => {
  beforeEach(() =>
    dense.upsert(Array.from({ length: 12 }, (_, at) => ({ id: `${at % 2 ? 'odd' : 'even'}-${at}`, vector: [1, at] }))),
  )

  it('pages through all in the order of first writing', async () => {
    const first = await dense.range({ cursor: 0, limit: 5, includeVectors: true })
    expect(first.nextCursor).toBe('5')
    expect(first.vectors[1]).toEqual({ id: 'odd-1', vector: [1, 1] })
    const found: string[] = []
    for (let cursor: string | number = '0'; cursor !== ''; ) {
      const page: Awaited<ReturnType<typeof dense.range>> = await dense.range({ cursor, limit: 5 })
      found.push(...page.vectors.map(({ id }) => id))
      cursor = page.nextCursor
    }
    expect(found).toHaveLength(12)
    expect(new Set(found).size).toBe(12)
  })

  it('skips nothing when what was read is deleted or written again between pages', async () => {
    const found: string[] = []
    for (let cursor: string | number = '0'; cursor !== ''; ) {
      const page: Awaited<ReturnType<typeof dense.range>> = await dense.range({ cursor, limit: 4 })
      found.push(...page.vectors.map(({ id }) => id))
      cursor = page.nextCursor
      await dense.delete(page.vectors.slice(0, 3).map(({ id }) => id))
      await dense.upsert({ id: page.vectors[3]?.id ?? '', vector: [9, 9] })
    }
    expect(found).toHaveLength(12)
  })

  it('of a prefix', async () => {
    const page = await dense.range({ cursor: '0', limit: 4, prefix: 'odd-' })
    expect(ids(page.vectors)).toEqual(['odd-1', 'odd-3', 'odd-5', 'odd-7'])
    const rest = await dense.range({ cursor: page.nextCursor, limit: 4, prefix: 'odd-' })
    expect([ids(rest.vectors), rest.nextCursor]).toEqual([['odd-9', 'odd-11'], ''])
  })
})

describe('delete', () => {
  beforeEach(() => dense.upsert(['a1', 'a2', 'b1', 'b2'].map((id, at) => ({ id, vector: [1, at], metadata: { at } }))))

  it('by id, ids, prefix and filter, and says how many', async () => {
    expect(await dense.delete('a1')).toEqual({ deleted: 1 })
    expect(await dense.delete(['a1', 'b1', 'b1', 'none'])).toEqual({ deleted: 1 })
    expect(await dense.delete({ filter: 'at > 2' })).toEqual({ deleted: 1 })
    expect(await dense.delete({ prefix: 'a' })).toEqual({ deleted: 1 })
    expect(await dense.query({ vector: [1, 1], topK: 5 })).toEqual([])
    expect(await dense.namespace('nowhere').delete('a1')).toEqual({ deleted: 0 })
  })
})

describe('namespaces', () => {
  it('are made by a write, apart from each other, listed, counted and deleted', async () => {
    await dense.upsert({ id: 'a', vector: [1, 0] })
    const one = dense.namespace('one')
    await one.upsert([
      { id: 'a', vector: [0, 1] },
      { id: 'b', vector: [1, 1] },
    ])
    await one.update({ id: 'a', metadata: { of: 'one' } })
    expect(ids(await one.query({ vector: [1, 0], topK: 5 }))).toEqual(['b', 'a'])
    expect(ids(await dense.query({ vector: [1, 0], topK: 5 }))).toEqual(['a'])
    expect(await one.fetch(['a'], { includeMetadata: true })).toEqual([{ id: 'a', metadata: { of: 'one' } }])
    expect(ids((await one.range({ cursor: '0', limit: 5 })).vectors)).toEqual(['a', 'b'])
    expect(await dense.listNamespaces()).toEqual(['', 'one'])
    expect((await dense.info()).namespaces).toEqual({
      '': { vectorCount: 1, pendingVectorCount: 0 },
      one: { vectorCount: 2, pendingVectorCount: 0 },
    })
    expect(await one.reset()).toBe('Success')
    expect([await dense.listNamespaces(), (await dense.info()).vectorCount]).toEqual([['', 'one'], 1])
    expect(await dense.deleteNamespace('one')).toBe('Success')
    expect(await dense.listNamespaces()).toEqual([''])
    await expect(dense.deleteNamespace('one')).rejects.toThrow('Namespace one for the index local does not exist')
  })

  it('reading one that is not there makes none', async () => {
    const none = dense.namespace('none')
    expect(await none.query({ vector: [1, 0], topK: 1 })).toEqual([])
    expect(await none.fetch(['a'])).toEqual([null])
    expect(await none.range({ cursor: '0', limit: 1 })).toEqual({ nextCursor: '', vectors: [] })
    expect(await none.update({ id: 'a', metadata: {} })).toEqual({ updated: 0 })
    expect(await dense.listNamespaces()).toEqual([''])
  })

  // The client puts a namespace into the path as it is; fetch() then resolves it as it would a link.
  it('one made of what a user says reaches other namespaces, as with the real service', async () => {
    await dense.namespace('tenant-a').upsert({ id: 'secret', vector: [1, 0] })
    expect(ids(await dense.namespace('x/../tenant-a').query({ vector: [1, 0], topK: 1 }))).toEqual(['secret'])
    await dense.namespace('../reset?all').query({ vector: [1, 0], topK: 1 })
    expect((await dense.info()).vectorCount).toBe(0)
  })
})

describe('info', () => {
  it('describes the index by its kind', async () => {
    const { index } = await start('dense/2/euclidean')
    await index.upsert({ id: 'a', vector: [1, 0], metadata: { a: 1 }, data: 'text' })
    expect(await index.info()).toEqual({
      vectorCount: 1,
      pendingVectorCount: 0,
      indexSize: 1 + 8 + 4 + '{"a":1}'.length,
      dimension: 2,
      similarityFunction: 'EUCLIDEAN',
      indexType: 'DENSE',
      denseIndex: { dimension: 2, similarityFunction: 'EUCLIDEAN', embeddingModel: 'LOCAL_HASHED_WORDS' },
      namespaces: { '': { vectorCount: 1, pendingVectorCount: 0 } },
    })
    expect(await sparse.info()).toMatchObject({
      dimension: 0,
      indexType: 'SPARSE',
      sparseIndex: { embeddingModel: 'BM25' },
    })
    expect(await hybrid.info()).toMatchObject({ indexType: 'HYBRID', denseIndex: { dimension: 2 }, sparseIndex: {} })
  })
})

describe('refusals', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['Invalid vector dimension: 3, expected: 2', () => dense.upsert({ id: 'a', vector: [1, 2, 3] })],
    ['Invalid vector dimension: 1, expected: 2', () => dense.query({ vector: [1], topK: 1 })],
    ['Invalid vector dimension: 1, expected: 2', () => dense.update({ id: 'a', vector: [1] })],
    ['This index requires sparse vectors', () => hybrid.upsert({ id: 'a', vector: [1, 2] })],
    [
      'This index requires dense vectors',
      () => hybrid.upsert({ id: 'a', sparseVector: { indices: [1], values: [1] } }),
    ],
    ['This index requires sparse vectors', () => hybrid.update({ id: 'a', vector: [1, 2] })],
    [
      'This index does not support sparse vectors',
      () => dense.query({ sparseVector: { indices: [1], values: [1] }, topK: 1 }),
    ],
    ['This index does not support dense vectors', () => sparse.query({ vector: [1, 2], topK: 1 })],
    [
      'The query mode DENSE needs a hybrid index',
      () => sparse.query({ data: 'x', topK: 1, queryMode: QueryMode.DENSE }),
    ],
    ['Invalid filter: expected an operator', () => dense.query({ vector: [1, 2], topK: 1, filter: 'a' })],
    ['Invalid filter', () => dense.delete({ filter: 'a b c' })],
    ['Invalid request: topK', () => dense.query({ vector: [1, 2], topK: 0 })],
    [
      'indices and values must be of the same length',
      () => sparse.upsert({ id: 'a', sparseVector: { indices: [1], values: [] } }),
    ],
    ['indices must not repeat', () => sparse.upsert({ id: 'a', sparseVector: { indices: [1, 1], values: [1, 1] } })],
    [
      'metadata is larger than 48 KB',
      () => dense.upsert({ id: 'a', vector: [1, 2], metadata: { a: 'x'.repeat(50_000) } }),
    ],
    ['data is larger than 1 MB', () => hybrid.upsert({ id: 'a', data: 'x'.repeat(1_100_000) })],
    ['expected an id that is not empty', () => dense.upsert({ id: '', vector: [1, 2] })],
    ['numbers that fit 32 bits', () => dense.upsert({ id: 'a', vector: [1e39, 0] })],
  ])('%s', async (problem, request) => {
    await expect(request()).rejects.toThrow(problem)
  })

  it('one wrong row of a batch, and none of it is written', async () => {
    const rows = [
      { id: 'a', vector: [1, 2] },
      { id: 'b', vector: [1] },
    ]
    await expect(dense.upsert(rows)).rejects.toThrow('Invalid vector dimension: 1, expected: 2')
    expect(await dense.fetch(['a', 'b'])).toEqual([null, null])
  })

  it('a wrong token', async () => {
    const stranger = new Index({ url: server.url, token: 'wrong' })
    await expect(stranger.info()).rejects.toThrow('Unauthorized: Invalid auth token')
  })

  it('a reply that is dropped after the work was done has done the work', async () => {
    const index = new Index({ url: server.url, token: server.token, retry: { retries: 0 } })
    server.standIn.knobs.fault = 'drop'
    await expect(index.upsert({ id: 'a', vector: [1, 2] })).rejects.toThrow()
    server.standIn.knobs.fault = 'none'
    expect(await index.fetch(['a'])).toEqual([{ id: 'a' }])
    expect(server.standIn.log.at(-1)?.operations).toEqual(['fetch'])
  })
})
