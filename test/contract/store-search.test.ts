// Search behind the other indexes, which have taken what was written: by models of their own, and fused otherwise.
import { afterAll, beforeAll } from 'vitest'
import { indexedStoreOf } from './indexed-store.ts'
import { type NeonDatabase, pgliteDatabase } from './neon-database.ts'
import { searchContract } from './store.ts'

let database: NeonDatabase
beforeAll(async () => {
  database = await pgliteDatabase()
})
afterAll(() => database?.close())

const choices = {
  'dense, by a model of its own': { kind: 'dense', hosted: true },
  'hybrid, by models of its own': { kind: 'hybrid', hosted: true },
  'hybrid, by DBSF': { kind: 'hybrid', fusion: 'DBSF' },
} as const
for (const [name, choice] of Object.entries(choices)) {
  searchContract(name, () => indexedStoreOf({ ...choice, settled: true }, database))
}
