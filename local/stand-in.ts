// A loopback HTTP server for one vendor's protocol: knobs for latency and faults, and a log of what crossed the wire.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface WireRequest {
  method: string
  /** Path without the query, percent-encoding untouched. */
  path: string
  query: URLSearchParams
  /** Lower-case names. */
  headers: Record<string, string>
  body: Buffer
  /** Fires when the caller goes away before the reply is whole. */
  signal: AbortSignal
}

export interface WireReply {
  status: number
  headers?: Record<string, string>
  /** An async iterable is streamed chunk by chunk. */
  body: string | Uint8Array | AsyncIterable<string>
  /** What this request did, for the log: SQL functions or statements, Redis commands, … */
  operations?: readonly string[]
}

/** How a far or failing service behaves. Set in process, or over the wire with `POST /_knobs` (JSON of the same shape). */
export interface Knobs {
  /** Added before the handler runs: half of what a far service costs is on the way there. */
  latencyMs: number
  /**
   * `error`: 500 and nothing done; `drop`: done, then the connection is cut; `hang`: nothing done, no answer; `hold`: nothing
   * done before it is something else.
   */
  fault: 'none' | 'error' | 'drop' | 'hang' | 'hold'
  /** Share of requests, 0 to 1, that meet `fault`; below 1 the same request not more than six times in a row. */
  faultRate: number
  /** How much later queries see what was written. Of the vector index alone; the others answer from what they wrote. */
  consistencyDelayMs: number
}

export interface WireEntry {
  startedAt: number
  endedAt: number
  method: string
  path: string
  operations: readonly string[]
  status: number
  bytesIn: number
  bytesOut: number
}

export interface StandIn {
  name: string
  url: string
  port: number
  knobs: Knobs
  /** Newest last; at most 10,000 entries. Read over the wire with `GET /_log`, emptied with `DELETE /_log`. */
  log: WireEntry[]
  close(): Promise<void>
}

export interface StandInOptions {
  name: string
  /** 0 picks a free one. */
  port?: number
  knobs?: Partial<Knobs>
  handle(request: WireRequest): Promise<WireReply>
}

const host = '127.0.0.1'
const logLimit = 10_000

export async function standIn({ name, port = 0, knobs: initial, handle }: StandInOptions): Promise<StandIn> {
  const knobs: Knobs = { latencyMs: 0, fault: 'none', faultRate: 1, consistencyDelayMs: 0, ...initial }
  const log: WireEntry[] = []
  const meetsFault = chances(knobs)
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing, { knobs, meetsFault, log, handle }).catch((error: unknown) => {
      process.stderr.write(`${name}: ${String(error)}\n`)
      outgoing.destroy()
    })
  })
  // A pooled connection that the server closes first is a reset at the client: keep them longer than a client would.
  server.keepAliveTimeout = 120_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address() as AddressInfo
  return {
    name,
    url: `http://${host}:${address.port}`,
    port: address.port,
    knobs,
    log,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The same request, sent again and again, is served at last: by chance alone one would have bad luck fifteen times now and then. */
const mostInARow = 6

/** Whether a request meets the fault: by chance, by the share that is set. */
function chances(knobs: Knobs): (request: string) => boolean {
  const inARow = new Map<string, number>()
  return (request) => {
    if (knobs.fault === 'none') return false
    const before = inARow.get(request) ?? 0
    const meets = knobs.faultRate === 1 || (before < mostInARow && Math.random() < knobs.faultRate)
    if (meets && knobs.faultRate < 1) inARow.set(request, before + 1)
    else inARow.delete(request)
    return meets
  }
}

interface Serving {
  knobs: Knobs
  meetsFault: (request: string) => boolean
  log: WireEntry[]
  handle: StandInOptions['handle']
}

async function serve(incoming: IncomingMessage, outgoing: ServerResponse, { knobs, meetsFault, log, handle }: Serving) {
  const startedAt = performance.now()
  const body = await readBody(incoming)
  const url = new URL(incoming.url ?? '/', `http://${host}`)
  const path = (incoming.url ?? '/').split('?')[0] ?? '/'
  const control = controlReply(incoming.method ?? 'GET', path, body, knobs, log)
  if (control !== undefined) {
    await send(outgoing, control)
    return
  }

  if (knobs.latencyMs > 0) await pause(knobs.latencyMs)
  while (knobs.fault === 'hold') await pause(10)
  const fault = meetsFault(`${path} ${body.toString('latin1')}`) ? knobs.fault : 'none'
  if (fault === 'hang') return
  const aborted = new AbortController()
  outgoing.on('close', () => aborted.abort())
  const reply: WireReply =
    fault === 'error'
      ? { status: 500, body: 'injected fault', operations: ['fault'] }
      : await handle({
          method: incoming.method ?? 'GET',
          path,
          query: url.searchParams,
          headers: lowerCaseHeaders(incoming),
          body,
          signal: aborted.signal,
        })
  if (fault === 'drop') outgoing.destroy()
  const bytesOut = fault === 'drop' ? 0 : await send(outgoing, reply)
  const { operations = [], status } = reply
  log.push({
    startedAt,
    endedAt: performance.now(),
    method: incoming.method ?? 'GET',
    path,
    operations,
    status,
    bytesIn: body.length,
    bytesOut,
  })
  if (log.length > logLimit) log.shift()
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function controlReply(method: string, path: string, body: Buffer, knobs: Knobs, log: WireEntry[]) {
  if (path === '/_knobs') {
    if (method === 'POST') Object.assign(knobs, JSON.parse(body.toString() || '{}'))
    return json(knobs)
  }
  if (path === '/_log') {
    if (method === 'DELETE') log.length = 0
    return json(log)
  }
  return undefined
}

export function json(value: unknown, status = 200, operations: readonly string[] = []): WireReply {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value), operations }
}

async function send(outgoing: ServerResponse, reply: WireReply): Promise<number> {
  outgoing.writeHead(reply.status, reply.headers)
  if (typeof reply.body === 'string' || reply.body instanceof Uint8Array) {
    outgoing.end(reply.body)
    return Buffer.byteLength(reply.body)
  }
  let bytes = 0
  for await (const chunk of reply.body) {
    if (outgoing.destroyed) break
    bytes += Buffer.byteLength(chunk)
    if (!outgoing.write(chunk)) await new Promise((resolve) => outgoing.once('drain', resolve).once('close', resolve))
  }
  outgoing.end()
  return bytes
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function lowerCaseHeaders(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return headers
}
