// A loopback TCP proxy that makes a service far: half a round trip is added in each direction, and what passes is counted.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Passed {
  /** From client to server, protocol included. */
  sentBytes: number
  receivedBytes: number
  /** 0 unless a counter was given. */
  statements: number
}

export interface DelayLine {
  readonly port: number
  /** May be changed while nothing is under way. */
  roundTripMs: number
  /** What has passed since it was last asked. */
  taken(): Passed
  close(): Promise<void>
}

export interface DelayLineOptions {
  /** The port of the service on loopback. */
  readonly to: number
  /** One a connection: statements in what the client sends. */
  readonly counter?: () => (chunk: Uint8Array) => number
}

const host = '127.0.0.1'

export async function delayLine({ to, counter = () => () => 0 }: DelayLineOptions): Promise<DelayLine> {
  let passed: Passed = { sentBytes: 0, receivedBytes: 0, statements: 0 }
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const service = connect(to, host)
    const count = counter()
    pass(client, service, open)
    const there = delayed(service, () => line.roundTripMs / 2)
    const back = delayed(client, () => line.roundTripMs / 2)
    client.on('data', (chunk: Buffer) => {
      passed.sentBytes += chunk.length
      passed.statements += count(chunk)
      there(chunk)
    })
    service.on('data', (chunk: Buffer) => {
      passed.receivedBytes += chunk.length
      back(chunk)
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve))
  const line: DelayLine = {
    port: (server.address() as AddressInfo).port,
    roundTripMs: 0,
    taken() {
      const taken = passed
      passed = { sentBytes: 0, receivedBytes: 0, statements: 0 }
      return taken
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
  return line
}

/** Both ends live and die together. */
function pass(client: Socket, service: Socket, open: Set<Socket>) {
  for (const [socket, other] of [
    [client, service],
    [service, client],
  ] as const) {
    open.add(socket)
    // Otherwise the kernel holds small messages back, and adds up to 40 ms of its own.
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => {
      open.delete(socket)
      other.destroy()
    })
  }
}

/** One direction: chunks leave in the order in which they came, each as late as the first, so that a pipeline stays one. */
function delayed(to: Socket, delayMs: () => number): (chunk: Buffer) => void {
  const queue: { readonly chunk: Buffer; readonly dueAt: number }[] = []

  function wake() {
    for (let first = queue[0]; first !== undefined; first = queue[0]) {
      const leftMs = first.dueAt - performance.now()
      if (leftMs > 0) return void wait(leftMs)
      queue.shift()
      if (!to.destroyed) to.write(first.chunk)
    }
  }

  /** A timer counts whole milliseconds and comes late: the last two are waited out in the event loop. */
  function wait(leftMs: number) {
    if (leftMs > 2) setTimeout(wake, leftMs - 2)
    else setImmediate(wake)
  }

  return (chunk) => {
    const delay = delayMs()
    if (delay === 0 && queue.length === 0) {
      to.write(chunk)
      return
    }
    queue.push({ chunk, dueAt: performance.now() + delay })
    if (queue.length === 1) wait(delay)
  }
}
