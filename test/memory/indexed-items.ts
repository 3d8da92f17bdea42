// Items in Neon over PGlite behind a hybrid index, in a tenant of each test, with all statements and queries of the index counted.
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { indexKindOf } from '../../local/vector/index-kind.ts'
import { type ThrowawayVector, throwawayVector } from '../../local/vector/throwaway-vector.ts'
import { neonStore } from '../../src/adapters/neon/index.ts'
import { upstashItemIndex } from '../../src/adapters/upstash/index.ts'
import { indexedStore, sweep } from '../../src/index.ts'
import type { Embedder, ItemPut, Store } from '../../src/ports/index.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'

export let database: NeonDatabase
export let vector: ThrowawayVector
export let statements: string[]
export let calls: string[]
let tenants = 0
export let tenant: string

beforeAll(async () => {
  database = await pgliteDatabase()
  vector = await throwawayVector({ kind: indexKindOf('hybrid/3') })
})
afterAll(async () => {
  await vector?.stop()
  await database?.close()
})
beforeEach(async () => {
  Object.assign(vector.standIn.knobs, { fault: 'none', latencyMs: 0, consistencyDelayMs: 0 })
  tenant = `tenant-${++tenants}`
  ;[statements, calls] = [[], []]
  await database.sql`delete from recollect.index_meta`
})

/** Drinks and deploys point in different directions, whatever the words. */
export const embedder: Embedder = {
  model: 'tiny',
  dimensions: 3,
  embed: async (texts) =>
    texts.map((text) => [/tea|drink|beverage/.test(text) ? 1 : 0, /deploy|kubernetes|ship/i.test(text) ? 1 : 0, 0.1]),
}

export function storeWith(options: { embedder?: Embedder; patienceMs?: number; timeoutMs?: number } = {}) {
  const sql = {
    query: (text: string, ...rest: [unknown[]?, object?]) => {
      statements.push(text)
      return database.sql.query(text, ...rest)
    },
  }
  const used = options.embedder ?? embedder
  const index = upstashItemIndex({
    url: vector.url,
    token: vector.token,
    kind: 'hybrid',
    embedder: used,
    // Longer than a slow machine takes: who needs an index that is given up says so.
    timeoutMs: options.timeoutMs ?? 30_000,
  })
  const spied = {
    ...index,
    query: (...given: Parameters<typeof index.query>) => {
      calls.push('query')
      return index.query(...given)
    },
  }
  const items = neonStore(sql, { indexed: true })
  return indexedStore({
    items,
    index: spied,
    embedder: used,
    ...(options.patienceMs && { patienceMs: options.patienceMs }),
  })
}

/** Puts, and waits for the index to have been told. */
export async function put(store: Store, key: string, text: string, more: Partial<ItemPut> = {}) {
  const told: Promise<unknown>[] = []
  const defer = (work: Promise<unknown>) => void told.push(work)
  const outcome = await store.put({ tenant, namespace: ['users', 'alex'], key, value: { text }, defer, ...more })
  await Promise.all(told)
  return outcome
}

/** What the cron does later: as if the pauses were over. */
export async function settle(store: Store) {
  for (let time = 0; time < 3; time++) {
    await database.sql`update recollect.outbox set due_at = now() - interval '1 second'`
    await sweep({ checkpointer: database.checkpointer, graphs: {}, store })
  }
}

export const found = async (store: Store, query: string, prefix: string[] = ['users', 'alex']) => {
  const { items, ...how } = await store.search({ tenant, prefix, query })
  return { keys: items.map(({ key }) => key), ...how }
}
export const behind = async () =>
  (await database.sql`select id from recollect.items where tenant = ${tenant} and settled_version < version`).length
export const messages = async () =>
  (await database.sql`select id from recollect.outbox where tenant = ${tenant}`).length
