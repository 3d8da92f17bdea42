// A deployment whose agent asks before it refunds, and counts the refunds.
import * as z from 'zod/mini'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { agent } from '../../src/agent/agent.ts'
import { tool } from '../../src/agent/tool.ts'
import { type ServeOptions, serve } from '../../src/http/index.ts'
import { signWebhook } from '../../src/kernel/webhook.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { WebhookOffice, type WebhookOptions } from '../../src/webhooks/office.ts'
import { conforming, said, secret, tokenFor } from './deployment.ts'

export const bytesOf = (text: string) => new TextEncoder().encode(text)

/** `office`: of its webhooks. `asked`: begins a run that asks, and gives the approval. `hook`: sends a webhook in. */
export function approvalApp(options: Partial<WebhookOptions> = {}, serving: Partial<ServeOptions> = {}) {
  const checkpointer = memoryCheckpointer()
  const office = new WebhookOffice({ store: checkpointer.webhooks, secret: 's'.repeat(32), anywhere: true, ...options })
  const refunds: unknown[] = []
  const refund = tool('refund', {
    description: 'Refund an order.',
    input: z.object({ order: z.string(), cents: z.number() }),
    approval: true,
    run: (given) => {
      refunds.push(given)
      return 'refunded'
    },
  })
  const model = scriptedModel((messages) =>
    messages.at(-1)?.role === 'tool'
      ? `Done: ${messages.at(-1)?.content}`
      : { calls: [{ name: 'refund', arguments: { order: 'A1', cents: 9_900 } }] },
  )
  const desk = agent({ tools: [refund] }).compile({ checkpointer, name: 'desk', model, webhooks: office })
  const app = serve({ graphs: { desk }, checkpointer, webhooks: office, auth: { secret }, ...serving })

  const call = async (method: string, path: string, body?: unknown, claims: Record<string, unknown> = {}) => {
    const authorization = `Bearer ${await tokenFor({ scope: 'chat approve operate', ...claims })}`
    const response = await app.request(path, {
      method,
      headers: { authorization },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return conforming(method, path, response)
  }

  const asked = async (thread = 't1', claims: Record<string, unknown> = {}) => {
    const run = { assistant_id: 'desk', input: said('Refund A1'), if_not_exists: 'create' }
    await call('POST', `/threads/${thread}/runs/wait`, run, claims)
    const { body } = await call('GET', `/approvals?thread_id=${thread}`, undefined, claims)
    return body[0]
  }

  const post = async (path: string, headers: HeadersInit, body: BodyInit) =>
    conforming('POST', path, await app.request(path, { method: 'POST', headers, body }))

  interface Sent {
    readonly tenant?: string
    readonly id?: string
    readonly secrets?: readonly string[]
    readonly atMs?: number
    readonly headers?: Record<string, string>
    readonly body?: string
  }

  const hook = (data: unknown, { tenant = 'acme', id = 'msg_1', secrets = [], atMs, ...rest }: Sent = {}) => {
    const body = rest.body ?? JSON.stringify({ type: 'approval.answered', data })
    const headers = { ...signWebhook({ id, body, nowMs: atMs ?? Date.now() }, secrets), ...rest.headers }
    return post(`/webhooks/${tenant}/approvals`, headers, body)
  }

  return { app, checkpointer, office, refunds, call, asked, hook, post }
}

export const approve = { decision: 'approve' }
