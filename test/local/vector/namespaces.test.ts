// Namespaces of an index and what it says of itself, through the real @upstash/vector client.
import { describe, expect, it } from 'vitest'
import { dense, hybrid, ids, sparse, start } from './indexes.ts'

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
