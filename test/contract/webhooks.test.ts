// Webhooks in memory, in Neon over PGlite, and over a Postgres server where there is one.
import { describe } from 'vitest'
import { postgresBinaries } from '../../local/neon/throwaway-postgres.ts'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { movableClock } from './later.ts'
import { pgliteDatabase, postgresDatabase } from './neon-database.ts'
import { webhookContract } from './webhooks.ts'

webhookContract('memory', async () => {
  const { now, later } = movableClock()
  return { checkpointer: memoryCheckpointer({ now }), later, close: async () => {} }
})
webhookContract('neon over PGlite', () => pgliteDatabase())

describe.skipIf(postgresBinaries() === undefined)('over a Postgres server (skipped where none is installed)', () => {
  webhookContract('neon over Postgres', () => postgresDatabase(6))
})
