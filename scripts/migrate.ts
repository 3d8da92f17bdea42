// `npm run migrate`: applies schema.sql to the database that DATABASE_URL names, in the environment or in `.dev.vars`.
// Safe to run again, and on every released version of the schema.
import { readFile } from 'node:fs/promises'
import { neon, neonConfig } from '@neondatabase/serverless'
import { migrate } from '../src/adapters/neon/index.ts'
import { isRecollectError } from '../src/kernel/errors.ts'
import { argumentsOf } from './arguments.ts'
import { variablesFrom } from './variables.ts'

/** Says where the database now is; throws without its password. */
export async function migrateDatabase(variables: NodeJS.Dict<string>): Promise<string> {
  const { DATABASE_URL, NEON_HTTP_ENDPOINT } = variables
  if (DATABASE_URL === undefined) {
    throw new Error('DATABASE_URL is not set: put the connection string of your database there or into .dev.vars.')
  }
  if (NEON_HTTP_ENDPOINT !== undefined) neonConfig.fetchEndpoint = NEON_HTTP_ENDPOINT
  const sql = neon(DATABASE_URL)
  await migrate(sql, await readFile(new URL('../schema.sql', import.meta.url), 'utf8'))
  const [row] = await sql.query('select max(version) as version from recollect.schema_version')
  const { host, pathname } = new URL(DATABASE_URL)
  return `${pathname.slice(1)} on ${host} is at schema version ${row?.version}.`
}

if (import.meta.main) {
  argumentsOf('npm run migrate', {})
  try {
    process.stdout.write(`${await migrateDatabase(await variablesFrom('.dev.vars'))}\n`)
  } catch (error) {
    const cause = isRecollectError(error) ? error.cause : undefined
    const reason = cause instanceof Error ? ` (${cause.message})` : ''
    process.stderr.write(`Not migrated: ${error instanceof Error ? error.message : error}${reason}\n`)
    process.exitCode = 1
  }
}
