// A chat application in memory, its tokens, a model that speaks when the test says so, and a loopback server before it.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sign } from 'hono/jwt'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { serve } from '../../src/http/index.ts'
import { agent, type CompiledGraph, type CompileOptions, type Tool } from '../../src/index.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import type { EventLog } from '../../src/ports/event-log.ts'
import type { Model, ModelPart } from '../../src/ports/model.ts'

const secret = 'a secret of the tests, 32 bytes long'
/** Of every tenant. */
export const webhookSecret = `whsec_${Buffer.from(secret).toString('base64')}`

interface ChatAppParts {
  readonly model?: Model
  readonly tools?: readonly Tool[]
  /** In the place of an agent with these tools. */
  readonly graph?: { compile(options: CompileOptions): CompiledGraph }
  /** That of another application makes this one a second isolate on its database. */
  readonly checkpointer?: Checkpointer
  readonly events?: EventLog
  readonly leaseMs?: number
}

export function chatApp({ model, tools = [], checkpointer = memoryCheckpointer(), ...parts }: ChatAppParts) {
  const { graph: given = agent({ tools }), ...options } = parts
  const graph = given.compile({ checkpointer, deepFreeze: true, ...(model && { model }), ...options })
  const { events } = options
  const graphs = { default: graph, support: graph }
  const webhooks = { keys: async () => [webhookSecret] }
  const app = serve({ graphs, checkpointer, webhooks, auth: { secret }, ...(events && { events }) })
  return { app, checkpointer, graph }
}

export async function tokenOf(user: string, { tenant = 'acme', scope = 'chat' } = {}): Promise<string> {
  return sign({ tenant, sub: user, scope, exp: Math.floor(Date.now() / 1000) + 3_600 }, secret)
}

/** A model that says word for word what the test tells it, when it tells it. */
export class PromptedModel implements Model {
  readonly #parts: ModelPart[] = []
  #wake = () => {}
  /** Requests that were given up before their end. */
  aborted = 0

  say(...words: readonly string[]): void {
    this.#push(...words.map((text): ModelPart => ({ type: 'text-delta', text })))
  }

  /** Asks for a tool, and ends with that. */
  call(id: string, name: string, input: unknown = {}): void {
    this.#push({ type: 'tool-call-start', index: 0, id, name })
    this.#push({ type: 'tool-call-delta', index: 0, text: JSON.stringify(input) })
    this.#push({ type: 'finish', reason: 'tool-calls', model: 'prompted', usage: undefined })
  }

  finish(): void {
    this.#push({ type: 'finish', reason: 'stop', model: 'prompted', usage: undefined })
  }

  async *stream({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<ModelPart, void> {
    signal.addEventListener('abort', () => this.#wake())
    for (;;) {
      if (signal.aborted) this.aborted++
      signal.throwIfAborted()
      const part = this.#parts.shift()
      if (part === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        continue
      }
      yield part
      if (part.type === 'finish') return
    }
  }

  #push(...parts: readonly ModelPart[]): void {
    this.#parts.push(...parts)
    this.#wake()
  }
}

export interface Loopback {
  readonly url: string
  close(): Promise<void>
}

/** Any application that takes requests, on a free port. A reader who leaves cancels the body, as in a Worker. */
export async function onLoopback(app: { fetch(request: Request): Response | Promise<Response> }): Promise<Loopback> {
  const server = createServer(async (incoming, outgoing) => {
    const body = Buffer.concat(await incoming.toArray())
    const { method = 'GET', url = '/', headers } = incoming
    const sent = Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []))
    const request = new Request(`http://${headers.host}${url}`, {
      method,
      headers: Object.fromEntries(sent),
      ...(method !== 'GET' && method !== 'HEAD' && body.length > 0 && { body }),
    })
    const response = await app.fetch(request)
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    const reader = response.body?.getReader()
    outgoing.once('close', () => reader?.cancel().catch(() => {}))
    for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
      outgoing.write(part.value)
    }
    outgoing.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
