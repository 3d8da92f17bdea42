// What the Neon stand-in needs of a Postgres: statements in, the wire's own text out, on a session that nobody else uses meanwhile.
import { Refusal } from './refusal.ts'

export interface Statement {
  text: string
  /** Already Postgres text; the server infers the types. */
  params: readonly (string | null)[]
}

export interface Transaction {
  isolation?: 'READ UNCOMMITTED' | 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE'
  readOnly: boolean
  deferrable: boolean
}

/** A column as the RowDescription message gives it. */
export interface Field {
  name: string
  dataTypeID: number
  tableID: number
  columnID: number
  dataTypeSize: number
  dataTypeModifier: number
}

export interface Result {
  fields: readonly Field[]
  rows: readonly (readonly (string | null)[])[]
  /** First word of the command tag; empty for an empty statement. */
  command: string
  rowCount: number | null
}

export interface QueryOptions {
  /** All statements or none. Without it each is its own transaction. */
  transaction?: Transaction
  /** What has not started when it fires is not run, and an open transaction is rolled back. */
  signal?: AbortSignal
}

/** Errors of Postgres are `DatabaseError` of `pg-protocol`; what Neon's proxy would refuse is a `Refusal`. */
export interface Engine {
  query(statements: readonly Statement[], options?: QueryOptions): Promise<Result[]>
  /** Many statements in one text, for a schema: the simple protocol, all or nothing, no result. */
  script(text: string): Promise<void>
  close(): Promise<void>
  /** Of one that is opening: what is asked of it earlier waits. Rejects when it does not open. */
  readonly opened?: Promise<unknown>
}

/** One connection, held for the length of one request. */
export interface Session {
  run(statement: Statement): Promise<Result>
  /** Whether the last statement left no transaction open. */
  isIdle(): boolean
}

/** Neon's limit in both directions. */
export const maxBytes = 64 * 1024 * 1024

// Commands whose effect outlives a request. Over HTTP the next request may meet any connection, so nothing may lean on them.
const sessionCommands = new Set(['SET', 'PREPARE', 'LISTEN', 'DECLARE', 'CREATE'])

export async function runOn(
  session: Session,
  statements: readonly Statement[],
  { transaction, signal }: QueryOptions,
): Promise<Result[]> {
  try {
    if (transaction !== undefined) await session.run(bare(begin(transaction)))
    const results = await runAll(session, statements, signal)
    if (transaction !== undefined) await session.run(bare('COMMIT'))
    if (!session.isIdle()) await session.run(bare('ROLLBACK'))
    if (results.some(({ command }) => sessionCommands.has(command))) await session.run(bare('DISCARD ALL'))
    return results
  } catch (error) {
    // A lost connection cannot roll back, and need not; the error to tell is the first one.
    if (transaction !== undefined) await session.run(bare('ROLLBACK')).catch(() => undefined)
    throw error
  }
}

async function runAll(session: Session, statements: readonly Statement[], signal: AbortSignal | undefined) {
  const results: Result[] = []
  let bytes = 0
  for (const statement of statements) {
    if (signal?.aborted) throw new Refusal(400, 'Query cancelled, connection was terminated')
    refuseUnencodable(statement)
    const result = await session.run(statement)
    bytes += textBytes(result)
    if (bytes > maxBytes) throw new Refusal(507, `response is too large (max is ${maxBytes} bytes)`)
    results.push(result)
  }
  return results
}

/** A zero byte would end the statement early, and a 16-bit count would wrap: either derails the protocol for whoever comes next. */
function refuseUnencodable({ text, params }: Statement) {
  if (text.includes('\0') || params.length > 65_535) throw new Refusal(400, 'error encoding message to server')
}

function begin({ isolation, readOnly, deferrable }: Transaction): string {
  const level = isolation === undefined ? '' : ` ISOLATION LEVEL ${isolation}`
  return `BEGIN${level}${readOnly ? ' READ ONLY' : ''}${deferrable ? ' DEFERRABLE' : ''}`
}

function bare(text: string): Statement {
  return { text, params: [] }
}

function textBytes({ rows }: Result): number {
  let bytes = 0
  // 3 for the quotes and the comma of a JSON cell.
  for (const row of rows) for (const cell of row) bytes += 3 + Buffer.byteLength(cell ?? '')
  return bytes
}
