// Brings a database to the schema of this version: all of it or nothing.
import { asRecollectError } from '../../kernel/errors.ts'
import { statementsOf } from './statements.ts'

/** The part of `neon(connectionString)` that a migration uses. */
export interface TransactionSql<Query> {
  query(text: string): Query
  transaction(queries: Query[]): Promise<unknown>
}

/**
 * Runs `schema` (the text of schema.sql) in one transaction, under a lock: two migrations at once are one after the other. Throws
 * `storage_failed`, with the database's own words.
 */
export async function migrate<Query>(sql: TransactionSql<Query>, schema: string): Promise<void> {
  const lock = "select pg_advisory_xact_lock(hashtext('recollect.schema'))"
  try {
    await sql.transaction([lock, ...statementsOf(schema)].map((text) => sql.query(text)))
  } catch (error) {
    throw asRecollectError(error, 'storage_failed', `The schema could not be applied: ${(error as Error).message}`)
  }
}
