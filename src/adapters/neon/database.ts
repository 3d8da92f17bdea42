// How the adapter speaks to Neon over HTTP: one statement a call, a time limit, and errors that say whether to send again.
import { RecollectError } from '../../kernel/errors.ts'
import { isRecord } from '../../kernel/json.ts'

/** The part of `neon(connectionString)` that is used: one statement over HTTP, rows as objects. */
export interface Sql {
  query(
    text: string,
    parameters?: unknown[],
    options?: { fetchOptions?: Record<string, unknown> },
  ): Promise<readonly unknown[]>
}

export interface Database {
  /** Calls `recollect.<name>` with named parameters. */
  call(name: string, parameters: Readonly<Record<string, unknown>>): Promise<unknown>
  rows(text: string, parameters: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
}

/** Longer than any statement of ours takes, shorter than a person waits. */
const timeoutMs = 10_000

export function database(sql: Sql): Database {
  const rows: Database['rows'] = async (text, parameters) => {
    const fetchOptions = { signal: AbortSignal.timeout(timeoutMs) }
    try {
      return (await sql.query(text, [...parameters], { fetchOptions })).filter(isRecord)
    } catch (error) {
      throw failureOf(error)
    }
  }
  return {
    rows,
    async call(name, parameters) {
      const names = Object.keys(parameters).map((parameter, index) => `_${snakeCase(parameter)} => $${index + 1}`)
      const [row] = await rows(`select recollect.${name}(${names.join(', ')}) as result`, Object.values(parameters))
      return row?.result
    },
  }
}

/** SQL states after which the same statement may be sent again: serialization, deadlock, shutdown, too many connections, … */
const passing = /^(40001|40P01|55P03|57014|57P0[1-5]|53...|08...|58...)$/
/** No such function, table, type of a table's rows, column or schema: the database is older than this Worker. */
const outdated = /^(42883|42P01|42704|42703|3F000)$/

/**
 * A lost connection, and what Neon's proxy refuses for itself, come without a code: the outcome is unknown and the statement
 * is sent again. The message of the database is kept as the cause only: it may hold state.
 */
function failureOf(error: unknown): RecollectError {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  if (typeof code !== 'string' || code === '' || passing.test(code)) {
    return new RecollectError(
      'storage_unavailable',
      'Postgres did not answer. Nothing is known to be lost; try again.',
      {
        cause: error,
        retryAfterMs: 1_000,
      },
    )
  }
  if (outdated.test(code)) {
    return new RecollectError(
      'schema_outdated',
      'The database has no schema of recollect, or one older than this version needs. Run: npm run migrate, or in code migrate(…) of recollect/neon',
      { cause: error },
    )
  }
  return new RecollectError(
    'storage_failed',
    `Postgres refused a statement (SQLSTATE ${code}). The Worker's log has the cause.`,
    {
      cause: error,
    },
  )
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
