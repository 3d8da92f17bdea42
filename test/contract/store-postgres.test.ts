// The Neon store over a Postgres server, where writers really are side by side.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postgresBinaries } from '../../local/neon/throwaway-postgres.ts'
import { neonStore } from '../../src/adapters/neon/index.ts'
import type { ItemOperation } from '../../src/ports/store.ts'
import { type NeonDatabase, postgresDatabase } from './neon-database.ts'
import { retention, storeContract } from './store.ts'

describe.skipIf(postgresBinaries() === undefined)('over a Postgres server (skipped where none is installed)', () => {
  storeContract('neon over a Postgres server', async () => {
    const { sql, ...database } = await postgresDatabase()
    return { store: neonStore(sql, { retention }), ...database }
  })

  describe('side by side', () => {
    let database: NeonDatabase
    beforeAll(async () => {
      database = await postgresDatabase()
    })
    afterAll(() => database?.close())

    test('batches, puts, deletes, searches and sweeps of the same items neither wait for ever nor fail', async () => {
      const store = neonStore(database.sql, { retention: [{ namespace: ['short'], ttlMs: 1_000 }], indexed: true })
      const at = { tenant: 'acme', namespace: ['short', 'x'] }
      const operations = (n: number): ItemOperation[] => {
        const keys = Array.from({ length: 10 }, (_, key) => `k${(key * 7 + n) % 10}`)
        return keys.map((key) => ({ op: 'put', namespace: at.namespace, key, value: { text: `canary ${n}` } }))
      }
      const work = Array.from({ length: 200 }, async (_, n) => {
        const key = `k${n % 10}`
        if (n % 5 === 0) return store.batch({ tenant: 'acme', operations: operations(n) })
        if (n % 5 === 1) return store.put({ ...at, key, value: { text: `canary ${n}` } })
        if (n % 5 === 2) return store.search({ tenant: 'acme', prefix: ['short'], query: 'canary' })
        if (n % 5 === 3) return store.delete({ ...at, key })
        return store.expire(5)
      })
      const outcomes = await Promise.allSettled(work)
      expect(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))).toEqual([])
      const left = await database.sql`select count(*)::int as n from recollect.item_history h where not exists (
        select 1 from recollect.items i where i.tenant = h.tenant and i.id = h.id)`
      expect(left).toEqual([{ n: 0 }])
    }, 60_000)
  })
})
