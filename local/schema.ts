// The schema of the local stack's database: applied when it is another than was applied last, for applying it is a good part of a start.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { neon } from '@neondatabase/serverless'
import { migrate } from '../src/adapters/neon/index.ts'

/** Which one it was is said in the database itself, and goes with it. True: it was applied. */
export async function applySchema(databaseUrl: string): Promise<boolean> {
  const sql = neon(databaseUrl)
  const schema = await readFile(new URL('../schema.sql', import.meta.url), 'utf8')
  const hash = createHash('sha256').update(schema).digest('hex')
  const [row] = await sql.query("select obj_description(to_regnamespace('recollect'), 'pg_namespace') as applied")
  if (row?.applied === hash) return false
  await migrate(sql, schema)
  await sql.query(`comment on schema recollect is '${hash}'`)
  return true
}
