// The engine for races and benches: a real Postgres server over TCP, several connections at once.
import { DatabaseError, Pool, type PoolClient, type QueryArrayConfig } from 'pg'
import { type Engine, type Result, runOn, type Session } from './engine.ts'
import { Refusal } from './refusal.ts'

export function postgresEngine(connectionString: string, connections = 10): Engine {
  const pool = new Pool({ connectionString, max: connections })
  // A connection that dies is replaced by the pool, and its statement is rejected; without listeners the event would end the process.
  pool.on('error', () => undefined)
  pool.on('connect', (connection) => connection.on('error', () => undefined))

  async function withConnection<T>(use: (connection: PoolClient) => Promise<T>): Promise<T> {
    const connection = await pool.connect().catch((error: unknown) => {
      throw new Refusal(500, `could not connect to the database: ${String(error)}`)
    })
    let lost = false
    try {
      return await use(connection)
    } catch (error) {
      lost = !(error instanceof DatabaseError || error instanceof Refusal)
      throw error
    } finally {
      connection.release(lost)
    }
  }

  return {
    query: (statements, options = {}) =>
      withConnection((connection) => runOn(sessionOn(connection), statements, options)),
    script: (text) => withConnection(async (connection) => void (await connection.query(text))),
    close: () => pool.end(),
  }
}

/** The types lack it: without it a statement without parameters goes by the simple protocol, which takes several at once. */
interface ExtendedQuery extends QueryArrayConfig<(string | null)[]> {
  queryMode: 'extended'
}

const asText = { getTypeParser: () => (text: string) => text }

function sessionOn(connection: PoolClient): Session {
  return {
    async run({ text, params }): Promise<Result> {
      const query: ExtendedQuery = { text, values: [...params], rowMode: 'array', types: asText, queryMode: 'extended' }
      const { fields, rows, command, rowCount } = await connection.query<(string | null)[], (string | null)[]>(query)
      return { fields, rows, command: command ?? '', rowCount }
    },
    isIdle: () => connection.getTransactionStatus() === 'I',
  }
}
