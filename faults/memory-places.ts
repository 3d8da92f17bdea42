// Where memories are broken: in memory, and in a Postgres server with an index behind it.
import { Pool } from 'pg'
import { throwawayPostgres } from '../local/neon/throwaway-postgres.ts'
import { indexKindOf } from '../local/vector/index-kind.ts'
import { throwawayVector } from '../local/vector/throwaway-vector.ts'
import { memoryCheckpointer, memoryStore } from '../src/adapters/memory/index.ts'
import { neonCheckpointer, neonStore, type Sql } from '../src/adapters/neon/index.ts'
import { upstashItemIndex } from '../src/adapters/upstash/index.ts'
import { indexedStore } from '../src/index.ts'
import type { Checkpointer, Store } from '../src/ports/index.ts'
import { type Io, through } from './seam.ts'
import { schema } from './storage.ts'

/** What the processes of one case share. */
export interface Data {
  /** As one process sees it, every call behind `io`. */
  open(io: Io): { readonly checkpointer: Checkpointer; readonly store: Store }
  /** Lets so many milliseconds pass for what is due. */
  pass(ms: number): Promise<void>
  /** What of the tenant is there that should not be, once all is settled and `gone` is forgotten: rows, messages, an index that differs. */
  leftovers(gone: readonly string[]): Promise<readonly string[]>
}

export interface Place {
  readonly name: string
  data(tenant: string): Data
  close(): Promise<void>
}

export function inMemory(): Place {
  const data = (): Data => {
    let now = 1_700_000_000_000
    const checkpointer = memoryCheckpointer({ now: () => now })
    const store = memoryStore({ now: () => now, checkpointer })
    return {
      open: (io) => ({ checkpointer: through(checkpointer, 'checkpointer', io), store: through(store, 'store', io) }),
      pass: async (ms) => {
        now += ms
      },
      leftovers: async () => [],
    }
  }
  return { name: 'memory', data, close: async () => {} }
}

type Query = (text: string, parameters?: unknown[]) => Promise<readonly Record<string, unknown>[]>

export async function onPostgres(): Promise<Place> {
  const server = await throwawayPostgres({ fsync: false })
  const pool = new Pool({ connectionString: server.connectionString, max: 5 })
  pool.on('error', () => {})
  await pool.query(schema)
  const query: Query = async (text, parameters = []) => (await pool.query(text, parameters)).rows
  return behindIndex(query, async () => {
    await pool.end()
    await server.stop()
  })
}

/** In a database with the schema applied. */
export async function behindIndex(query: Query, stopDatabase: () => Promise<void>): Promise<Place> {
  const { url, token, stop } = await throwawayVector({ kind: indexKindOf('sparse'), embeds: false })
  return {
    name: 'Postgres',
    data: (tenant) => ({
      open: (io) => {
        const sql: Sql = through({ query }, 'postgres', io)
        const index = upstashItemIndex({ url, token, kind: 'sparse' })
        const items = neonStore(sql, { indexed: true })
        const store = indexedStore({ items, index: { ...through(index, 'vector', io), setup: index.setup } })
        return { checkpointer: neonCheckpointer(sql), store }
      },
      pass: async (ms) => {
        const due = `update recollect.outbox set due_at = due_at - $2 * interval '1 millisecond' where tenant = $1`
        await query(due, [tenant, ms])
      },
      leftovers: async (gone) => [
        ...(await rowsWith(query, tenant, gone)),
        ...(await unsettled(query, tenant)),
        ...(await strayVectors(query, { url, token })),
      ],
    }),
    close: async () => {
      await stop()
      await stopDatabase()
    },
  }
}

async function rowsWith(query: Query, tenant: string, words: readonly string[]): Promise<string[]> {
  const tables = await query(
    `select table_name as name from information_schema.columns where table_schema = 'recollect' and column_name = 'tenant'`,
  )
  const found: string[] = []
  for (const { name } of tables) {
    for (const word of words) {
      const text = `select 1 from recollect.${name} x where tenant = $1 and x::text like '%' || $2 || '%' limit 1`
      if ((await query(text, [tenant, word])).length > 0) found.push(`"${word}" is in ${name}`)
    }
  }
  return found
}

async function unsettled(query: Query, tenant: string): Promise<string[]> {
  const [counts] = await query(
    `select (select count(*)::int from recollect.items where tenant = $1 and settled_version < version) as behind,
       (select count(*)::int from recollect.outbox where tenant = $1 and status = 'pending') as messages`,
    [tenant],
  )
  return Object.entries(counts ?? {}).flatMap(([name, count]) => (count === 0 ? [] : [`${name}: ${count}`]))
}

/** All cases before this one are settled: the index has a row for every item of the database that can be found by words. */
async function strayVectors(query: Query, { url, token }: { url: string; token: string }): Promise<string[]> {
  const answer = await fetch(`${url}/info`, { headers: { authorization: `Bearer ${token}` } })
  const { result } = (await answer.json()) as { result: { vectorCount: number } }
  const [items] = await query(`select count(*)::int as count from recollect.items where text <> ''`)
  const difference = result.vectorCount - Number(items?.count)
  return difference === 0 ? [] : [`the index has ${difference} rows more than there are items`]
}
