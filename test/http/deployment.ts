// A deployment for tests: graphs over storage in memory, tokens for anybody, and every answer held against the OpenAPI document.
import { sign } from 'hono/jwt'
import { expect } from 'vitest'
import * as z from 'zod'
import document from '../../docs/openapi.json' with { type: 'json' }
import { memoryCache, memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { agent } from '../../src/agent/agent.ts'
import { messages } from '../../src/agent/messages.ts'
import { tool } from '../../src/agent/tool.ts'
import { last } from '../../src/graph/channel.ts'
import { type ServeOptions, serve } from '../../src/http/index.ts'
import type { CompiledGraph } from '../../src/runtime/compiled-graph.ts'
import { StateGraph } from '../../src/runtime/state-graph.ts'
import { type Script, scriptedModel } from '../../src/testing/index.ts'
import { WebhookOffice } from '../../src/webhooks/office.ts'

export const secret = 'a secret of tests, thirty-two bytes'

export interface Claims {
  readonly tenant?: unknown
  readonly sub?: unknown
  readonly scope?: unknown
  readonly exp?: unknown
  readonly [claim: string]: unknown
}

export function tokenFor(claims: Claims = {}, key = secret): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 3600
  const payload = { tenant: 'acme', sub: 'alex', scope: 'chat', exp, ...claims }
  return sign(payload as Parameters<typeof sign>[0], key, 'HS256')
}

const echo: Script = (said) => `You said ${said.findLast(({ role }) => role === 'user')?.content}`

const clock = tool('clock', {
  description: 'What time it is.',
  input: z.object({}),
  run: () => 'noon',
})

const talks: Script = (said) =>
  said.at(-1)?.role === 'tool' ? `It is ${said.at(-1)?.content}.` : { calls: [{ name: 'clock', arguments: {} }] }

/** `chat` echoes; `clerk` asks a tool; `odd` writes what JSON has no word for; `waits` until told; `fails` throws. */
export function deployment(options: Partial<ServeOptions> & { readonly script?: Script } = {}) {
  const checkpointer = memoryCheckpointer()
  const cache = memoryCache()
  const gate = Promise.withResolvers<void>()
  const storage = { checkpointer, cache, deepFreeze: true }
  const { script = echo, ...rest } = options
  const graphs: Record<string, CompiledGraph> = {
    chat: agent().compile({ ...storage, name: 'chat', model: scriptedModel(script) }),
    clerk: agent({ tools: [clock] }).compile({ ...storage, name: 'clerk', model: scriptedModel(talks) }),
    odd: odd.compile({ ...storage, name: 'odd' }),
    waits: waiting(gate.promise).compile({ ...storage, name: 'waits' }),
    fails: failing.compile({ ...storage, name: 'fails' }),
  }
  const webhooks = new WebhookOffice({ store: checkpointer.webhooks, secret: `${secret}, sealing` })
  const review = { secret: `${secret}, links` }
  const app = serve({ graphs, checkpointer, cache, webhooks, review, auth: { secret }, ...rest })
  return {
    app,
    graphs,
    checkpointer,
    cache,
    webhooks,
    open: gate.resolve,
    as: (claims: Claims = {}) => caller(app, claims),
  }
}

const odd = new StateGraph({
  state: { value: last<unknown>() },
  nodes: {
    write: () => ({
      value: { at: new Date(0), big: 10n, map: new Map([['a', 1]]), set: new Set([1]), gone: undefined },
    }),
  },
  edges: { start: 'write' },
})

function waiting(gate: Promise<void>) {
  return new StateGraph({
    state: { messages: messages(), noted: last('') },
    nodes: {
      wait: async (_state, context) => {
        context.emit('progress', { percent: 50 })
        await gate
        return { noted: 'done' }
      },
    },
    edges: { start: 'wait' },
  })
}

const failing = new StateGraph({
  state: { messages: messages(), secret: last('') },
  nodes: {
    fail: () => {
      throw new Error('the password is hunter2')
    },
  },
  edges: { start: 'fail' },
})

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly body: any
}

type App = { request: (path: string, init?: RequestInit) => Response | Promise<Response> }

/** `send('POST', '/threads', { … })`: a string body is sent as it stands. */
function caller(app: App, claims: Claims) {
  return async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await app.request(path, {
      method,
      headers: { authorization: `Bearer ${await tokenFor(claims)}`, ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    return conforming(method, path, response)
  }
}

/** Reads the answer to its end and holds it against the document. */
export async function conforming(method: string, path: string, response: Response): Promise<Answer> {
  const { status, headers } = response
  const text = await response.text()
  const type = headers.get('content-type')?.split(';')[0] ?? ''
  const body: unknown = /[/+]json$/.test(type) ? JSON.parse(text) : undefined
  const described = responseFor(method, path, status)
  const schema = described?.content?.[type]?.schema
  if (text !== '' && described !== undefined)
    expect(schema, `${method} ${path} → ${status} ${type} is not described`).toBeDefined()
  if (schema !== undefined && body !== undefined) {
    const checked = schemaOf(schema).safeParse(body)
    expect(checked.error?.issues ?? [], `${method} ${path} → ${status} ${text.slice(0, 400)}`).toEqual([])
  }
  return { status, headers, text, body }
}

interface Described {
  readonly content?: Readonly<Record<string, { readonly schema: Record<string, unknown> }>>
}
type Operations = Readonly<Record<string, { readonly responses: Readonly<Record<string, Described>> }>>

/** As the document has it; `undefined` for a route that it does not have. */
function responseFor(method: string, path: string, status: number): Described | undefined {
  const parts = (path.split('?')[0] ?? '').split('/')
  const fits = (template: string) => {
    const wanted = template.split('/')
    return (
      wanted.length === parts.length && wanted.every((part, index) => part.startsWith('{') || part === parts[index])
    )
  }
  const all = Object.entries(document.paths as unknown as Readonly<Record<string, Operations>>)
  const sorted = all.sort(([a], [b]) => a.split('{').length - b.split('{').length)
  const found = sorted.find(
    ([template, operations]) => fits(template) && operations[method.toLowerCase()] !== undefined,
  )
  const responses = found?.[1][method.toLowerCase()]?.responses
  return responses && (responses[String(status)] ?? (document.components.responses.Problem as unknown as Described))
}

const made = new WeakMap<object, z.ZodType>()

function schemaOf(schema: Record<string, unknown>): z.ZodType {
  const known = made.get(schema)
  if (known !== undefined) return known
  const whole = { ...schema, $defs: document.components.schemas }
  const text = JSON.stringify(whole).replaceAll('#/components/schemas/', '#/$defs/')
  const fresh = z.fromJSONSchema(JSON.parse(text))
  made.set(schema, fresh)
  return fresh
}

export function said(content: string) {
  return { messages: [{ type: 'human', content }] }
}

/** The frames of an event stream. */
export function framesOf(text: string): { event: string; data: never; id: string }[] {
  return text
    .split('\n\n')
    .filter((frame) => frame.startsWith('event:'))
    .map((frame) => {
      const [event = '', data = '', id = ''] = frame.split('\n').map((line) => line.slice(line.indexOf(': ') + 2))
      return { event, data: JSON.parse(data) as never, id }
    })
}
