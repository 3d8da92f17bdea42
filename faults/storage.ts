// Where the cases keep their threads: in memory, or in a Postgres server of their own with several connections.
import { readFileSync } from 'node:fs'
import { Pool } from 'pg'
import { throwawayPostgres } from '../local/neon/throwaway-postgres.ts'
import { memoryCache, memoryCheckpointer, memoryEventLog } from '../src/adapters/memory/index.ts'
import { neonCheckpointer } from '../src/adapters/neon/index.ts'
import type { Storage } from './world.ts'

export interface Opened {
  /** For one case. */
  storage(): Storage
  close(): Promise<void>
}

/** A memory of its own for each case. */
export function memoryStorage(): Opened {
  const storage = () => {
    let aheadMs = 0
    const checkpointer = memoryCheckpointer({ now: () => Date.now() + aheadMs })
    const hasten = async () => {
      aheadMs += outboxLeaseMs
    }
    return { checkpointer, cache: memoryCache(), events: memoryEventLog(), hasten }
  }
  return { storage, close: async () => {} }
}

/** Longer than a message is lent, and than the pause before its second attempt. */
const outboxLeaseMs = 70_000

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
  const hasten = async (tenant: string) => {
    await pool.query(`update recollect.outbox set due_at = clock_timestamp() where tenant = $1`, [tenant])
  }
  const shared = { checkpointer: neonCheckpointer(sql), cache: memoryCache(), events: memoryEventLog(), hasten }
  return {
    storage: () => shared,
    close: async () => {
      await pool.end()
      await server.stop()
    },
  }
}
