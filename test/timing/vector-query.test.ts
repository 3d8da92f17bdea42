// How long a query of the local vector index takes over HTTP, printed, and far from what a mistake would make of it.
import { Index } from '@upstash/vector'
import { expect, it } from 'vitest'
import { standIn } from '../../local/stand-in.ts'
import { indexKindOf } from '../../local/vector/index-kind.ts'
import { restHandler } from '../../local/vector/rest.ts'
import { VectorIndex } from '../../local/vector/vector-index.ts'

const token = 'a-token'

it.each<[number, number]>([
  [10_000, 1536],
  [100_000, 256],
])('%i rows of %i dimensions', async (count, dimension) => {
  const index = new VectorIndex({ kind: indexKindOf(`dense/${dimension}`) })
  // A cheap sequence: only the arithmetic counts here.
  let state = 1
  const vector = () => {
    const numbers = new Float32Array(dimension)
    for (let at = 0; at < dimension; at++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
      numbers[at] = state / 2 ** 31
    }
    return numbers
  }
  for (let at = 0; at < count; at++) index.upsert('', [{ id: `row ${at}`, vector: vector() }])
  const server = await standIn({ name: 'vector', handle: restHandler({ index, token, embeds: false }) })
  const client = new Index({ url: server.url, token, retry: { retries: 0 } })
  const queries = Array.from({ length: 15 }, () => ({ vector: [...vector()], topK: 10 }))
  const times: number[] = []
  const before = process.cpuUsage()
  for (const query of queries) {
    const from = performance.now()
    expect(await client.query(query)).toHaveLength(10)
    times.push(performance.now() - from)
  }
  const { user, system } = process.cpuUsage(before)
  await server.close()
  const sorted = times.toSorted((a, b) => a - b)
  const [least, median, most] = [0, 7, 14].map((at) => sorted[at]?.toFixed(1))
  console.log(
    `${count} x ${dimension}: p50 ${median} ms, least ${least}, most ${most}; ` +
      `${((user + system) / 15_000).toFixed(1)} ms of processor, the client's included`,
  )
  // Far above what it takes, and far below what a mistake would make of it.
  expect(sorted[0]).toBeLessThan(1_000)
})
