// Search behind indexes that do not show yet what was written.
import { afterAll, beforeAll } from 'vitest'
import { indexedStoreOf } from './indexed-store.ts'
import { type NeonDatabase, pgliteDatabase } from './neon-database.ts'
import { searchContract } from './store.ts'

let database: NeonDatabase
beforeAll(async () => {
  database = await pgliteDatabase()
})
afterAll(() => database?.close())

for (const kind of ['sparse', 'dense', 'hybrid'] as const) {
  searchContract(`${kind}, and behind`, () => indexedStoreOf({ kind, settled: false }, database))
}
