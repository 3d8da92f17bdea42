// A database of ours behind the Neon stand-in, with the schema applied: over PGlite, or over a Postgres server.
import { readFileSync } from 'node:fs'
import { pgliteEngine } from '../../local/neon/pglite.ts'
import { postgresEngine } from '../../local/neon/postgres.ts'
import { neonHttp } from '../../local/neon/server.ts'
import { throwawayPostgres } from '../../local/neon/throwaway-postgres.ts'
import { migrate, neonCheckpointer } from '../../src/adapters/neon/index.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import { client, password } from '../local/neon/client.ts'
import type { Later } from './later.ts'

export interface NeonDatabase {
  readonly sql: ReturnType<typeof client>
  readonly checkpointer: Checkpointer
  later: Later
  close(): Promise<void>
}

export const schema = readFileSync(new URL('../../schema.sql', import.meta.url), 'utf8')

/** Empty but for `schema`; '' for none. */
export async function pgliteDatabase(applied = schema): Promise<NeonDatabase> {
  const engine = await pgliteEngine()
  return behind(engine, applied, () => engine.close())
}

/** A server with `connections` connections, for what only happens side by side. */
export async function postgresDatabase(connections = 20, applied = schema): Promise<NeonDatabase> {
  const server = await throwawayPostgres({ fsync: false })
  const engine = postgresEngine(server.connectionString, connections)
  return behind(engine, applied, async () => {
    await engine.close()
    await server.stop()
  })
}

/** The statements of `work`, in one transaction that is kept open for a while after them. */
export async function keptOpen({ sql }: NeonDatabase, work: (to: Checkpointer) => Promise<unknown>) {
  const statements: { text: string; parameters: unknown[] }[] = []
  const heard = neonCheckpointer({
    query: async (text, parameters = []) => {
      statements.push({ text, parameters })
      throw new Error('It is only heard.')
    },
  })
  await work(heard).catch(() => {})
  const queries = statements.map(({ text, parameters }) => sql.query(text, parameters))
  const landed = sql.transaction([...queries, sql.query('select pg_sleep(0.4)')])
  let over = false
  const end = () => {
    over = true
  }
  landed.then(end, end)
  // On a machine that stands still it may sleep, and have slept, before anybody looks.
  const sleeps = () => sql`select 1 from pg_stat_activity where wait_event = 'PgSleep'`
  while (!over && (await sleeps()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  return { landed }
}

async function behind(
  engine: Awaited<ReturnType<typeof pgliteEngine>>,
  applied: string,
  stop: () => Promise<void>,
): Promise<NeonDatabase> {
  const standIn = await neonHttp({ password, engine })
  const sql = client(standIn.port)
  if (applied !== '') await migrate(sql, applied)
  return {
    sql,
    checkpointer: neonCheckpointer(sql),
    async later(tenant, ms) {
      const ends = await sql`select table_name, column_name from information_schema.columns
        where table_schema = 'recollect' and column_name in ('expires_at', 'lease_until', 'due_at', 'asks_at')`
      for (const { table_name: table, column_name: end } of ends) {
        const sooner = `set ${end} = ${end} - $1 * interval '1 millisecond'`
        await sql.query(`update recollect.${table} ${sooner} where tenant = $2`, [ms, tenant])
      }
    },
    async close() {
      await standIn.close()
      await stop()
    },
  }
}
