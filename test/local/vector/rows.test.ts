// Rows through the real @upstash/vector client: written, read by id, prefix and page, changed, deleted.
import { QueryMode } from '@upstash/vector'
import { beforeEach, describe, expect, it } from 'vitest'
import { dense, hybrid, ids, sparse } from './indexes.ts'

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
