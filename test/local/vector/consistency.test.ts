// The delay after which queries see what was written, on a clock that the test moves.
import { Index } from '@upstash/vector'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { indexKindOf } from '../../../local/vector/index-kind.ts'
import { type ThrowawayVector, throwawayVector } from '../../../local/vector/throwaway-vector.ts'

let now: number
let server: ThrowawayVector
let index: Index

beforeEach(async () => {
  now = 1_000
  const kind = indexKindOf('dense/2')
  server = await throwawayVector({ kind, knobs: { consistencyDelayMs: 500 }, clock: () => now })
  index = new Index({ url: server.url, token: server.token, retry: { retries: 0 } })
})
afterEach(() => server.stop())

const found = async (filter = '') => (await index.query({ vector: [1, 0], topK: 10, filter })).map(({ id }) => id)
const pending = async () => (await index.info()).pendingVectorCount

it('a write is fetched at once and found later, and info says that it is pending', async () => {
  await index.upsert({ id: 'a', vector: [1, 0] })
  expect(await found()).toEqual([])
  expect(await index.fetch(['a'])).toEqual([{ id: 'a' }])
  expect((await index.range({ cursor: 0, limit: 1 })).vectors).toEqual([{ id: 'a' }])
  expect(await index.info()).toMatchObject({
    vectorCount: 0,
    pendingVectorCount: 1,
    namespaces: { '': { vectorCount: 0, pendingVectorCount: 1 } },
  })
  now += 499
  expect([await found(), await pending()]).toEqual([[], 1])
  now += 1
  expect([await found(), await pending()]).toEqual([['a'], 0])
})

it('until then a query sees what was there before: the old row, and what was deleted', async () => {
  await index.upsert([
    { id: 'a', vector: [1, 0], metadata: { v: 1 } },
    { id: 'b', vector: [0, 1], metadata: { v: 1 } },
  ])
  now += 500
  await index.upsert({ id: 'a', vector: [1, 0], metadata: { v: 2 } })
  await index.delete('b')
  expect(await index.fetch(['b'])).toEqual([null])
  expect([await found('v = 1'), await found('v = 2')]).toEqual([['a', 'b'], []])
  now += 500
  expect([await found('v = 1'), await found('v = 2')]).toEqual([[], ['a']])
})

it('writes become visible in their order', async () => {
  await index.upsert({ id: 'a', vector: [1, 0], metadata: { v: 1 } })
  now += 100
  await index.delete('a')
  now += 100
  await index.upsert({ id: 'a', vector: [1, 0], metadata: { v: 2 } })
  now += 300
  expect(await found('v = 1')).toEqual(['a'])
  now += 100
  expect(await found()).toEqual([])
  now += 100
  expect(await found('v = 2')).toEqual(['a'])
})

it('a reset is seen at once, and what waited does not come back', async () => {
  await index.upsert({ id: 'a', vector: [1, 0] })
  await index.reset()
  now += 1_000
  expect([await found(), await pending()]).toEqual([[], 0])
})

it('the delay is a knob over the wire too: without it what waits is found', async () => {
  await index.upsert({ id: 'a', vector: [1, 0] })
  await fetch(`${server.url}/_knobs`, { method: 'POST', body: '{"consistencyDelayMs":0}' })
  expect(await found()).toEqual(['a'])
})
