// Neon's SQL over HTTP on loopback: `POST /sql` as `@neondatabase/serverless` speaks it, over any engine.
// Shapes, statuses and words follow Neon's proxy (proxy/src/serverless/sql_over_http.rs of neondatabase/neon).
import { type Knobs, type StandIn, standIn, type WireReply, type WireRequest } from '../stand-in.ts'
import { type Engine, maxBytes, type Result, type Statement, type Transaction } from './engine.ts'
import { operationOf } from './operation.ts'
import { errorOnWire, Refusal } from './refusal.ts'
import { jsonValue, parameterText } from './text-value.ts'

export interface NeonHttpOptions {
  /** 0 picks a free one. */
  port?: number
  /** The one that connection strings must carry; user, host and database may be any. */
  password: string
  /** Stays open when the server is closed. */
  engine: Engine
  knobs?: Partial<Knobs>
}

export function neonHttp({ port = 0, password, engine, knobs = {} }: NeonHttpOptions): Promise<StandIn> {
  return standIn({ name: 'neon', port, knobs, handle: (request) => answer(request, password, engine) })
}

async function answer(request: WireRequest, password: string, engine: Engine): Promise<WireReply> {
  if (request.method !== 'POST' || request.path !== '/sql')
    return { status: 404, body: 'only POST /sql is served here' }
  let operations: string[] = []
  try {
    authenticate(request.headers['neon-connection-string'], password)
    const batch = batchOf(request.headers)
    const { queries, single } = readPayload(request.body)
    operations = queries.map(({ text }) => operationOf(text))
    const { signal } = request
    const results = await engine.query(queries, single ? { signal } : { signal, transaction: batch.transaction })
    const bodies = results.map((result, index) => resultOnWire(result, request.headers, queries[index]?.arrayMode))
    return reply(200, single ? bodies[0] : { results: bodies }, operations, single ? {} : batch.echo)
  } catch (error) {
    const { status, body } = errorOnWire(error)
    return reply(status, body, operations)
  }
}

function reply(status: number, body: unknown, operations: string[], headers: Record<string, string> = {}): WireReply {
  return {
    status,
    headers: { 'content-type': 'application/json', 'access-control-allow-origin': '*', ...headers },
    body: JSON.stringify(body),
    operations,
  }
}

function authenticate(connectionString: string | undefined, password: string) {
  if (connectionString === undefined) throw new Refusal(400, 'invalid header: neon-connection-string')
  if (!URL.canParse(connectionString)) throw new Refusal(400, 'invalid connection string: not a URL')
  const url = new URL(connectionString)
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') throw new Refusal(400, 'incorrect scheme')
  if (url.pathname.length < 2) throw new Refusal(400, 'missing database name')
  if (url.username === '') throw new Refusal(400, 'missing username')
  if (url.password === '') throw new Refusal(400, 'missing authentication credentials: required password')
  if (decodeURIComponent(url.password) !== password)
    throw new Refusal(400, `password authentication failed for user '${decodeURIComponent(url.username)}'`)
}

const isolationLevels: Readonly<Record<string, NonNullable<Transaction['isolation']>>> = {
  ReadUncommitted: 'READ UNCOMMITTED',
  ReadCommitted: 'READ COMMITTED',
  RepeatableRead: 'REPEATABLE READ',
  Serializable: 'SERIALIZABLE',
}

function batchOf(headers: Record<string, string>): { transaction: Transaction; echo: Record<string, string> } {
  const transaction: Transaction = {
    readOnly: headers['neon-batch-read-only'] === 'true',
    deferrable: headers['neon-batch-deferrable'] === 'true',
  }
  const echo: Record<string, string> = {}
  if (transaction.readOnly) echo['neon-batch-read-only'] = 'true'
  if (transaction.deferrable) echo['neon-batch-deferrable'] = 'true'
  const level = headers['neon-batch-isolation-level']
  if (level !== undefined) {
    const isolation = isolationLevels[level]
    if (isolation === undefined) throw new Refusal(400, 'invalid isolation level')
    transaction.isolation = isolation
    echo['neon-batch-isolation-level'] = level
  }
  return { transaction, echo }
}

interface Query extends Statement {
  arrayMode: boolean | undefined
}

function readPayload(body: Buffer): { queries: Query[]; single: boolean } {
  if (body.length > maxBytes) throw new Refusal(413, `request is too large (max is ${maxBytes} bytes)`)
  let payload: unknown
  try {
    payload = JSON.parse(body.toString())
  } catch (error) {
    throw unreadable(String(error))
  }
  if (!isObject(payload)) throw unreadable('expected an object')
  const { queries } = payload
  return Array.isArray(queries)
    ? { queries: queries.map(readQuery), single: false }
    : { queries: [readQuery(payload)], single: true }
}

function readQuery(value: unknown): Query {
  if (!isObject(value) || typeof value.query !== 'string') throw unreadable('missing field `query`')
  const { query: text, params: values = [], arrayMode } = value
  if (!Array.isArray(values)) throw unreadable('`params` must be an array')
  const params = values.map(parameterText)
  // Half an emoji passes JSON.stringify as an escape; the proxy refuses it, and a buffer would turn it into U+FFFD in silence.
  if (![text, ...params].every((part) => part?.isWellFormed() ?? true)) throw unreadable('lone surrogate in hex escape')
  return { text, params, arrayMode: typeof arrayMode === 'boolean' ? arrayMode : undefined }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function unreadable(why: string): Refusal {
  return new Refusal(400, `could not parse the HTTP request body: ${why}`)
}

function resultOnWire(result: Result, headers: Record<string, string>, queryArrayMode: boolean | undefined) {
  const rowAsArray = queryArrayMode ?? headers['neon-array-mode'] === 'true'
  const rawText = headers['neon-raw-text-output'] === 'true'
  const fields = result.fields.map(({ name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier }) => {
    return { name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier, format: 'text' }
  })
  const rows = result.rows.map((row) => {
    const cells = rawText
      ? row
      : row.map((text, column) => (text === null ? null : jsonValue(text, fields[column]?.dataTypeID ?? 0)))
    return rowAsArray ? cells : Object.fromEntries(cells.map((cell, column) => [fields[column]?.name, cell]))
  })
  return { rowAsArray, fields, rows, command: result.command, rowCount: result.rowCount }
}
