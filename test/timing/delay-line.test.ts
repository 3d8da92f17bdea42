// The wire that the peers are measured over: what it adds, and what it counts.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { serialize } from 'pg-protocol'
import { afterEach, expect, test } from 'vitest'
import { type DelayLine, delayLine } from '../../bench/peers/delay-line.ts'
import { statementCounter } from '../../bench/peers/statement-counter.ts'

/** What `pg` sends: start-up, a simple query, an extended one whose text and values look like messages, the end. */
const session = Buffer.concat([
  serialize.startup({ user: 'bench', database: 'bench' }),
  serialize.query('begin'),
  serialize.parse({ text: "select $1, 'QE'" }),
  serialize.bind({ values: ['Q\0\0\0\x05E', null] }),
  serialize.describe({ type: 'P', name: '' }),
  serialize.execute({ portal: '', rows: 0 }),
  serialize.sync(),
  serialize.end(),
])

function countIn(chunks: readonly Buffer[]): number {
  const count = statementCounter()
  return chunks.reduce((sum, chunk) => sum + count(chunk), 0)
}

test('simple queries and executions are statements, and nothing else is', () => {
  expect(countIn([session])).toBe(2)
  expect(countIn([serialize.requestSsl(), session])).toBe(2)
})

test('it does not matter where the chunks are cut', () => {
  const bytes = Array.from(session, (_, at) => session.subarray(at, at + 1))
  expect(countIn(bytes)).toBe(2)
  for (let at = 1; at < session.length; at++) {
    expect([at, countIn([session.subarray(0, at), session.subarray(at)])]).toEqual([at, 2])
  }
})

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

/** A service that sends back what it gets, and a connection to it over a line. */
async function echo(roundTripMs: number, counter?: typeof statementCounter) {
  const server: Server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const line: DelayLine = await delayLine({
    to: (server.address() as AddressInfo).port,
    ...(counter && { counter }),
  })
  line.roundTripMs = roundTripMs
  const client: Socket = connect(line.port, '127.0.0.1').setNoDelay(true)
  open.push({ close: () => client.destroy() }, line, server)
  let received = Buffer.alloc(0)
  const arrived = (length: number) =>
    new Promise<Buffer>((resolve) => {
      client.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk])
        if (received.length >= length) resolve(received)
      })
    })
  await new Promise((resolve) => client.once('connect', resolve))
  return { line, client, arrived }
}

test('a round trip is added once to what is asked and answered, and a pipeline stays one, in its order', async () => {
  const roundTripMs = 40
  const { client, arrived } = await echo(roundTripMs)
  const parts = Array.from({ length: 20 }, (_, index) => `${index} `.padStart(4))
  const startedAt = performance.now()
  const answer = arrived(parts.join('').length)
  for (const part of parts) {
    client.write(part)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect((await answer).toString()).toBe(parts.join(''))
  const tookMs = performance.now() - startedAt
  expect(tookMs).toBeGreaterThanOrEqual(roundTripMs)
  // One after the other they would take 20 round trips.
  expect(tookMs).toBeLessThan(10 * roundTripMs)
})

test('bytes are counted in both directions, statements on the way there, and asking begins anew', async () => {
  const { line, client, arrived } = await echo(0, statementCounter)
  const answer = arrived(session.length)
  client.write(session)
  await answer
  expect(line.taken()).toEqual({ sentBytes: session.length, receivedBytes: session.length, statements: 2 })
  expect(line.taken()).toEqual({ sentBytes: 0, receivedBytes: 0, statements: 0 })
})

test('each connection has a counter of its own', async () => {
  const { line, client, arrived } = await echo(0, statementCounter)
  const first = arrived(10)
  client.write(session.subarray(0, 10))
  await first
  const second = connect(line.port, '127.0.0.1')
  open.push({ close: () => second.destroy() })
  await new Promise((resolve) => second.once('data', resolve).write(session))
  expect(line.taken().statements).toBe(2)
})
