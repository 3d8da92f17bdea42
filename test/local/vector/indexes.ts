// Indexes of each kind behind the real @upstash/vector client, empty before each test and stopped after the last.
import { Index } from '@upstash/vector'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { indexKindOf } from '../../../local/vector/index-kind.ts'
import { type ThrowawayVector, throwawayVector } from '../../../local/vector/throwaway-vector.ts'

const started: ThrowawayVector[] = []

export async function start(kind: string, options: Parameters<typeof throwawayVector>[0] = {}) {
  const server = await throwawayVector({ ...options, kind: indexKindOf(kind) })
  started.push(server)
  const index = new Index({ url: server.url, token: server.token, retry: { retries: 0 } })
  return { server, index }
}

export let dense: Index
export let sparse: Index
export let hybrid: Index
/** Two dimensions are too few for texts. */
export let embedding: Index
export let server: ThrowawayVector

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

export const ids = (rows: readonly ({ id: string | number } | null)[]) => rows.map((row) => row?.id)
