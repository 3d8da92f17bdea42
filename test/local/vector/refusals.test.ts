// What the real @upstash/vector client is refused, with which words, and that nothing of it is written.
import { Index, QueryMode } from '@upstash/vector'
import { describe, expect, it } from 'vitest'
import { dense, hybrid, server, sparse } from './indexes.ts'

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
