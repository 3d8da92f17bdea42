// A receiver of webhooks on loopback: notes what comes, checks its signature, and answers as it is told to.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { verifyWebhook } from '../../src/kernel/webhook.ts'

export interface Received {
  readonly id: string
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape.
  readonly event: any
  readonly bytes: Uint8Array
}

export type Reply = number | 'hang' | ((response: ServerResponse) => void)

export interface Receiver {
  readonly url: string
  readonly received: Received[]
  /** The replies to come, in order; the last one goes for all that follow. */
  replies: Reply[]
  /** The id of a webhook that is well signed with one of these; throws for others. */
  verified(received: Received, ...secrets: string[]): string
  close(): Promise<void>
}

export async function receiver(...replies: Reply[]): Promise<Receiver> {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const bytes = new Uint8Array(Buffer.concat(chunks))
    const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    received.push({
      id: headers.get('webhook-id') ?? '',
      headers,
      event: JSON.parse(new TextDecoder().decode(bytes)),
      bytes,
    })
    const reply = self.replies.length > 1 ? self.replies.shift() : self.replies[0]
    if (reply === 'hang') return
    if (typeof reply === 'function') reply(response)
    else response.writeHead(reply ?? 204).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const self: Receiver = {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    replies,
    verified: ({ headers, bytes }, ...secrets) => verifyWebhook(headers, bytes, secrets),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return self
}
