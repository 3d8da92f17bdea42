// `npm run migrate`: applies schema.sql to the Postgres that DATABASE_URL names, in the environment or in `.dev.vars`.
// Safe to run again, and on every released version of the schema.
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import pg from 'pg'

const url = process.env.DATABASE_URL ?? devVars().DATABASE_URL
if (url === undefined) {
  process.stderr.write('DATABASE_URL is not set: put the connection string of your database there or into .dev.vars.\n')
  process.exit(1)
}

const client = new pg.Client({ connectionString: url })
const { host, database } = client
try {
  await client.connect()
  // One simple query with many statements is one transaction: all of the schema or nothing of it.
  await client.query(readFileSync(new URL('../schema.sql', import.meta.url), 'utf8'))
  const { rows } = await client.query('select max(version) as version from recollect.schema_version')
  process.stdout.write(`${database} on ${host} is at schema version ${rows[0].version}.\n`)
} catch (error) {
  process.stderr.write(`${database} on ${host} was not migrated: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
} finally {
  await client.end()
}

function devVars(): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync('.dev.vars', 'utf8'))
  } catch {
    return {}
  }
}
