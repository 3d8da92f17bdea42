// The REST protocol: which commands a request holds, run on the engine, answered as Upstash answers.
import type { WireReply, WireRequest } from '../stand-in.ts'
import { type Bytes, fromText } from './bytes.ts'
import type { Channels } from './pubsub.ts'
import { type Reply, ReplyError } from './reply.ts'
import { subscription } from './subscription.ts'
import { type Encoding, jsonError, jsonItem, resp2 } from './wire.ts'

const maxRequestBytes = 10 * 1024 * 1024

/** What the protocol needs of a Redis: our own engine, or a real server. */
export interface RestEngine {
  /** Absent where there are no subscriptions. */
  readonly channels: Channels | undefined
  /** Runs in the order of the calls. An error is a reply. */
  execute(words: Bytes[]): Reply | Promise<Reply>
  /** As one unit. Fails with a `ReplyError`, and does nothing, where a command cannot even be queued. */
  transaction(commands: Bytes[][]): Reply[] | Promise<Reply[]>
}

export interface RestOptions {
  engine: RestEngine
  token: string
}

type Format = Encoding | 'resp2'

/** `upstash-sync-token` names a state of the data. There is one copy here, never behind, so a new one each time will do. */
export function restHandler({ engine, token }: RestOptions): (request: WireRequest) => Promise<WireReply> {
  let states = 0
  return async (request) => {
    try {
      if (!isAuthorized(request, token)) throw new RestError(401, unauthorized)
      const reply = await answer(engine, request)
      states += 1
      return { ...reply, headers: { ...reply.headers, 'upstash-sync-token': syncToken(states) } }
    } catch (error) {
      if (!(error instanceof RestError)) throw error
      const headers = { 'content-type': 'application/json', 'upstash-sync-token': syncToken(states) }
      return { status: error.status, headers, body: jsonError(fromText(error.message)), operations: error.operations }
    }
  }
}

const unauthorized =
  'WRONGPASS invalid or missing auth token. See https://upstash.com/docs/redis/troubleshooting/http_unauthorized for details'

class RestError extends Error {
  status: number
  operations: string[]
  constructor(status: number, message: string, operations: string[] = []) {
    super(message)
    this.status = status
    this.operations = operations
  }
}

const syncToken = (state: number) => Buffer.from(`local:${state}`).toString('base64')

function isAuthorized({ headers, query }: WireRequest, token: string): boolean {
  return headers.authorization === `Bearer ${token}` || query.get('_token') === token
}

async function answer(engine: RestEngine, request: WireRequest): Promise<WireReply> {
  const { body, headers } = request
  if (body.length > maxRequestBytes)
    throw new RestError(
      400,
      `ERR max request size exceeded. Limit: ${maxRequestBytes} bytes, Actual: ${body.length} bytes`,
    )
  const format = formatOf(headers)
  const segments = request.path.split('/').slice(1).map(decodeSegment)
  if (segments.at(-1) === '') segments.pop()
  const [route = '', ...names] = segments
  const kind = route.toLowerCase()
  if (kind === 'subscribe' || kind === 'psubscribe') {
    if (engine.channels === undefined) throw new RestError(400, `ERR ${kind} is not available over a real redis-server`)
    return subscription(engine.channels, kind, names, request.signal)
  }
  if (segments.length === 0) return single(engine, wordsOf(parse(body), 'command'), format)
  if (kind === 'pipeline' && names.length === 0) return pipeline(engine, commandsOf(parse(body), 'pipeline'), format)
  if (kind === 'multi-exec' && names.length === 0)
    return transaction(engine, commandsOf(parse(body), 'multi-exec'), format)
  return single(engine, [...segments, ...bodyAndQuery(request)], format)
}

function formatOf(headers: Record<string, string>): Format {
  const base64 = headers['upstash-encoding'] === 'base64'
  if (headers['upstash-response-format']?.toLowerCase() !== 'resp2') return base64 ? 'base64' : 'text'
  if (base64) throw new RestError(400, 'ERR Upstash-Encoding: base64 cannot be combined with the resp2 response format')
  return 'resp2'
}

/** Percent-decoded as bytes: what is no UTF-8 stays what it was. */
const decodeSegment = (segment: string): Bytes =>
  segment.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))

/** `POST /set/key?EX=100` with a body is `SET key <body> EX 100`. */
function bodyAndQuery({ body, query }: WireRequest): Bytes[] {
  const words = body.length > 0 ? [body.toString('latin1')] : []
  for (const [name, value] of query) {
    if (name !== '_token') words.push(...[name, value].filter((word) => word !== '').map(fromText))
  }
  return words
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new RestError(400, 'ERR failed to parse the request: its body is not JSON')
  }
}

function wordsOf(command: unknown, where: string): Bytes[] {
  if (!Array.isArray(command) || command.length === 0)
    throw new RestError(400, `ERR failed to parse the ${where} request: a command is an array of its words`)
  return command.map((word: unknown) => {
    if (typeof word === 'string') return fromText(word)
    if (typeof word === 'number' || typeof word === 'boolean') return String(word)
    throw new RestError(400, `ERR failed to parse the ${where} request: words are strings, numbers or booleans`)
  })
}

function commandsOf(commands: unknown, where: string): Bytes[][] {
  if (!Array.isArray(commands) || commands.length === 0)
    throw new RestError(400, `ERR failed to parse the ${where} request: expected an array of commands`)
  return commands.map((command) => wordsOf(command, where))
}

const namesOf = (commands: Bytes[][]): string[] => commands.map(([name = '']) => name.toUpperCase())

async function single(engine: RestEngine, words: Bytes[], format: Format): Promise<WireReply> {
  const operations = namesOf([words])
  const reply = await engine.execute(words)
  const status = reply instanceof ReplyError ? 400 : 200
  if (format === 'resp2') return respReply([reply], status, operations)
  return jsonReply(jsonItem(reply, format), status, operations)
}

async function pipeline(engine: RestEngine, commands: Bytes[][], format: Format): Promise<WireReply> {
  const replies = await Promise.all(commands.map((words) => engine.execute(words)))
  if (format === 'resp2') return respReply(replies, 200, namesOf(commands))
  return jsonReply(jsonItems(replies, format), 200, namesOf(commands))
}

async function transaction(engine: RestEngine, commands: Bytes[][], format: Format): Promise<WireReply> {
  if (format === 'resp2') throw new RestError(400, 'ERR the resp2 response format is not available for multi-exec')
  const operations = namesOf(commands)
  try {
    return jsonReply(jsonItems(await engine.transaction(commands), format), 200, operations)
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error
    return jsonReply(jsonError(error.message), 400, operations)
  }
}

const jsonItems = (replies: Reply[], encoding: Encoding) =>
  `[${replies.map((reply) => jsonItem(reply, encoding)).join(',')}]`

const jsonReply = (body: string, status: number, operations: string[]): WireReply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body,
  operations,
})

const respReply = (replies: Reply[], status: number, operations: string[]): WireReply => ({
  status,
  headers: { 'content-type': 'application/octet-stream' },
  body: Buffer.from(replies.map(resp2).join(''), 'latin1'),
  operations,
})
