// Long threads of ours: each length is grown once, turn by turn, and every thread that is measured is a copy of it.
import { type NeonQueryFunction, neon } from '@neondatabase/serverless'
import type { GraphName } from './contestant.ts'

export interface Seeds {
  /** The tenant that owns a thread with so many turns, and nothing else; each call another copy. */
  copied(graph: GraphName, turns: number): Promise<string>
}

export function seedsOf(neonUrl: string, growTurn: (graph: GraphName, tenant: string) => Promise<unknown>): Seeds {
  const sql = neon(neonUrl)
  const seeds = new Map<string, Promise<void>>()
  let copies = 0

  async function grown(graph: GraphName, turns: number, tenant: string): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await growTurn(graph, tenant)
  }

  return {
    async copied(graph, turns) {
      const seed = `seed-${graph}-${turns}`
      const tenant = `tenant-${++copies}`
      const growing = seeds.get(seed) ?? grown(graph, turns, seed)
      seeds.set(seed, growing)
      await growing
      await copyTenant(sql, seed, tenant)
      return tenant
    },
  }
}

/** The tenant comes first in every key and names no other row: a copy with another one is a thread of its own. */
export async function copyTenant(sql: NeonQueryFunction<false, false>, from: string, to: string): Promise<void> {
  // What Postgres makes itself it makes for the copy too.
  const tables = await sql`
    select format('%I.%I', table_schema, table_name) as name,
      string_agg(format('%I', column_name), ', ') filter (where column_name <> 'tenant') as rest
    from information_schema.columns
    where table_schema = 'recollect' and is_generated = 'NEVER' and is_identity = 'NO'
    group by 1 having bool_or(column_name = 'tenant')`
  for (const { name, rest } of tables) {
    await sql.query(`insert into ${name} (tenant, ${rest}) select $1, ${rest} from ${name} where tenant = $2`, [
      to,
      from,
    ])
  }
}
