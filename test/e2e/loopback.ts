// An application of the fetch kind behind a server on loopback, for clients that speak HTTP.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'

export interface Loopback {
  readonly url: string
  /** Cuts every connection, as a network does. */
  cut(): void
  close(): Promise<void>
}

export async function loopback(fetch: (request: Request) => Response | Promise<Response>): Promise<Loopback> {
  const server = createServer((incoming, outgoing) => {
    respond(fetch, incoming, outgoing).catch((error: unknown) => outgoing.destroy(error as Error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    cut: () => server.closeAllConnections(),
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

async function respond(
  fetch: (request: Request) => Response | Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/', headers } = incoming
  const bodied = method !== 'GET' && method !== 'HEAD'
  const init = {
    method,
    headers: Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): [string, string] => [name, one]),
    ),
    ...(bodied && { body: Readable.toWeb(incoming), duplex: 'half' }),
  }
  const response = await fetch(new Request(`http://127.0.0.1${url}`, init as RequestInit))
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  const reader = response.body?.getReader()
  outgoing.on('close', () => void reader?.cancel().catch(() => {}))
  for (;;) {
    const part = await reader?.read()
    if (part === undefined || part.done) break
    outgoing.write(part.value)
  }
  outgoing.end()
}
