// Where the cases keep their threads: in memory, or in a Postgres server of their own with several connections.
import { readFileSync } from 'node:fs'
import { Pool } from 'pg'
import { throwawayPostgres } from '../local/neon/throwaway-postgres.ts'
import { memoryCache, memoryCheckpointer } from '../src/adapters/memory/index.ts'
import { neonCheckpointer } from '../src/adapters/neon/index.ts'
import type { Storage } from './world.ts'

export interface Opened {
  readonly storage: Storage
  close(): Promise<void>
}

export function memoryStorage(): Opened {
  return { storage: { checkpointer: memoryCheckpointer(), cache: memoryCache() }, close: async () => {} }
}

export const schema = readFileSync(new URL('../schema.sql', import.meta.url), 'utf8')

/** Straight to Postgres and not through Neon's HTTP protocol, which is beside the question and costs half of the time. */
export async function postgresStorage(connections = 20, applied = schema): Promise<Opened> {
  const server = await throwawayPostgres({ fsync: false })
  const pool = new Pool({ connectionString: server.connectionString, max: connections })
  pool.on('error', () => {})
  await pool.query(applied)
  const sql = {
    query: async (text: string, parameters: unknown[] = []): Promise<readonly unknown[]> =>
      (await pool.query(text, parameters)).rows,
  }
  return {
    storage: { checkpointer: neonCheckpointer(sql), cache: memoryCache() },
    close: async () => {
      await pool.end()
      await server.stop()
    },
  }
}
