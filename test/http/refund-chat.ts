// A chat whose agent asks before it refunds, and counts the refunds; what a page sends there, and what it reads.
import { expect } from 'vitest'
import * as z from 'zod/mini'
import type { UiChunk } from '../../src/http/ui-chunks.ts'
import type { UiMessage } from '../../src/http/ui-messages.ts'
import { tool } from '../../src/index.ts'
import { type Script, scriptedModel } from '../../src/testing/index.ts'
import { chatApp, tokenOf } from './chat-app.ts'

type App = Pick<ReturnType<typeof chatApp>['app'], 'fetch'>

interface Sent {
  readonly as?: string
  readonly tenant?: string
  readonly scope?: string
  readonly body?: unknown
}

export async function call(app: App, path: string, { as = 'alex', scope = 'chat', tenant = 'acme', body }: Sent = {}) {
  const headers = {
    authorization: `Bearer ${await tokenOf(as, { scope, tenant })}`,
    'content-type': 'application/json',
  }
  return await app.fetch(
    new Request(`http://chat${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }),
  )
}

export async function chunksOf(response: Response | Promise<Response>): Promise<UiChunk[]> {
  const text = await (await response).text()
  const frames = text.split('\n\n').filter((frame) => frame !== '' && !frame.startsWith(':'))
  expect(frames.pop(), text).toBe('data: [DONE]')
  return frames.map((frame) => JSON.parse(frame.split('\ndata: ')[1] ?? 'null'))
}

export async function problem(response: Response | Promise<Response>) {
  const { status, code } = (await (await response).json()) as { status: number; code: string }
  return { status, code }
}

export const said = (text: string, rest: Record<string, unknown> = {}) => ({
  id: 't',
  messages: [{ id: `m-${text.length}`, role: 'user', parts: [{ type: 'text', text }] }],
  ...rest,
})

export const decided = (id: string, approved: boolean, more: Record<string, unknown> = {}) => ({
  id: 't',
  trigger: 'submit-message',
  messages: [
    {
      id: 'whatever',
      role: 'assistant',
      parts: [
        { type: 'tool-refund', toolCallId: 'c1', state: 'approval-responded', approval: { id, approved, ...more } },
      ],
    },
  ],
})

const asksOnce: Script = (list) =>
  list.at(-1)?.role === 'tool'
    ? `Then: ${list.at(-1)?.content}`
    : { text: 'I refund it.', calls: [{ id: 'c1', name: 'refund', arguments: { order: 'A1', cents: 900 } }] }

interface HouseParts extends Pick<Parameters<typeof chatApp>[0], 'checkpointer' | 'events' | 'leaseMs' | 'model'> {
  readonly script?: Script
  readonly rules?: Record<string, unknown>
}

export function house({ script = asksOnce, rules = {}, model = scriptedModel(script), ...shared }: HouseParts = {}) {
  const runs: unknown[] = []
  const refund = tool('refund', {
    description: 'Refund an order.',
    input: z.object({ order: z.string(), cents: z.number() }),
    approval: { answerer: 'owner', ...rules },
    run: (input) => {
      runs.push(input)
      return `refunded ${input.cents}`
    },
  })
  const look = tool('look', {
    description: 'Look at an order.',
    input: z.object({ order: z.string() }),
    run: ({ order }) => `${order} is there`,
  })
  return { ...chatApp({ model, tools: [refund, look], ...shared }), runs }
}

export const typesOf = (chunks: readonly UiChunk[]) =>
  chunks.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1])
export const textOf = (chunks: readonly UiChunk[]) =>
  chunks.flatMap((chunk) => (chunk.type === 'text-delta' ? [chunk.delta] : [])).join('')

export function requestsIn(chunks: readonly UiChunk[]) {
  return chunks.flatMap((chunk) => (chunk.type === 'tool-approval-request' ? [chunk] : []))
}

export async function asked(app: App, path = '/chat') {
  const chunks = await chunksOf(call(app, path, { body: said('refund A1') }))
  const [{ approvalId } = expect.unreachable('nothing was asked')] = requestsIn(chunks)
  const [start] = chunks
  return { chunks, id: approvalId, run: start?.type === 'start' ? start.messageId : '' }
}

export const shown = async (app: App, query = '') =>
  (await (await call(app, `/chat/t/messages${query}`)).json()) as UiMessage[]
