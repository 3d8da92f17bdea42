// What was said beside an item leads to it, by an index of words, and is no part of it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { indexKindOf } from '../../local/vector/index-kind.ts'
import { type ThrowawayVector, throwawayVector } from '../../local/vector/throwaway-vector.ts'
import { memoryStore } from '../../src/adapters/memory/index.ts'
import { neonStore } from '../../src/adapters/neon/index.ts'
import { upstashItemIndex } from '../../src/adapters/upstash/index.ts'
import { textVector } from '../../src/adapters/upstash/lexical.ts'
import { indexedStore, reindex } from '../../src/index.ts'
import type { Store } from '../../src/ports/index.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'

let database: NeonDatabase
let vector: ThrowawayVector
beforeAll(async () => {
  database = await pgliteDatabase()
  vector = await throwawayVector({ kind: indexKindOf('sparse'), embeds: false })
})
afterAll(async () => {
  await vector?.stop()
  await database?.close()
})

const at = { tenant: 'acme', namespace: ['users', 'alex'] }

test('an item is found by what was said beside it, behind one that says it, and does not have it in itself', async () => {
  const index = upstashItemIndex({ url: vector.url, token: vector.token, kind: 'sparse', timeoutMs: 30_000 })
  const items = neonStore(database.sql, { indexed: true })
  const store = indexedStore({ items, index })
  const nearby = { before: 'Where is the canary deployed?', after: 'Thank you, in Rome then.' }
  await store.put({ ...at, key: 'answer', value: { text: 'In the usual region.' }, nearby })
  await store.batch({
    tenant: 'acme',
    operations: [
      { op: 'put', namespace: at.namespace, key: 'fact', value: { text: 'The canaries deploy on Fridays.' } },
      { op: 'put', namespace: at.namespace, key: 'follow', value: { text: 'And the usual price?' }, nearby },
    ],
  })
  expect(await reindex({ items, index })).toBe(3)
  const found = async (query: string) =>
    (await store.search({ tenant: 'acme', prefix: at.namespace, query })).items.map(({ key }) => key)
  expect(await found('deployment of canary')).toEqual(['fact', 'follow', 'answer'])
  expect(await found('Rome')).toHaveLength(2)
  const item = await store.get({ ...at, key: 'answer' })
  expect(JSON.stringify(item)).not.toMatch(/canary|Rome/)
  expect(JSON.stringify(await store.history({ ...at, key: 'answer' }))).not.toMatch(/canary|Rome/)
  // What is beside it is replaced with it, and the index follows.
  expect(await store.put({ ...at, key: 'answer', value: { text: 'In the usual region.' } })).toMatchObject({
    version: 2,
  })
  await reindex({ items, index })
  expect(await found('deployment of canary')).toEqual(['fact', 'follow'])
})

test.each([
  ['in memory', () => memoryStore()],
  ['in Postgres', () => neonStore(database.sql)],
] as const)('what is beside an item makes a version, and must be texts (%s)', async (_, make) => {
  const store: Store = make()
  const put = (nearby?: object) => store.put({ ...at, key: 'k', value: { text: 'x' }, ...(nearby && { nearby }) })
  const versions = [await put({ before: 'a' }), await put({ before: 'a' }), await put({ before: 'b' }), await put()]
  expect(versions.map(({ version }) => version)).toEqual([1, 1, 2, 3])
  for (const odd of [{ before: 1 }, { after: {} }, { before: null }]) {
    await expect(put(odd)).rejects.toMatchObject({ code: 'input_invalid' })
  }
})

test('words are stemmed, and those that say nothing count only where there are no others', () => {
  const places = (text: string) => [...(textVector(text)?.indices ?? [])].sort()
  expect(places('We’re deploying services, aren’t we?')).toEqual(places('the services deployed'))
  expect(places('who are you')).toHaveLength(3)
  expect(textVector('…')).toBeUndefined()
  expect(places(Array.from({ length: 1_500 }, (_, n) => `word${n}`).join(' '))).toHaveLength(1_000)
})
