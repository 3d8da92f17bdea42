// Whether Postgres answers, and with the schema that this version needs.
import { RecollectError } from '../../kernel/errors.ts'
import { database, type Sql } from './database.ts'

export const schemaVersion = 2

/** Throws `storage_unavailable`, `schema_outdated`, or `storage_failed` when the database refused. */
export async function checkNeon(sql: Sql): Promise<void> {
  const [row] = await database(sql).rows('select max(version) as version from recollect.schema_version', [])
  if (Number(row?.version) >= schemaVersion) return
  throw new RecollectError(
    'schema_outdated',
    `The database has schema ${String(row?.version)}; this version needs ${schemaVersion}. Run: npm run migrate, or in code migrate(…) of recollect/neon`,
  )
}
