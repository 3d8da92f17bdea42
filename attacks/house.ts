// A deployment that is attacked: the real application over a real database, with a tenant of its own for each attack.
import { sign } from 'hono/jwt'
import type { ApprovalRule } from '../src/agent/tool.ts'
import { serve } from '../src/http/index.ts'
import type { Checkpointer } from '../src/ports/index.ts'
import { type Refund, refundClerk } from './clerk.ts'

export const secret = 'the secret of attacked tokens, long enough'
export const reviewSecret = 'the secret of attacked links, long enough'
export const otherSecret = 'another secret, which is as long as those'

export const webhookKey = webhookKeyOf('the key of attacked webhooks, 32')
export const otherWebhookKey = webhookKeyOf('another key of webhooks, also 32')

function webhookKeyOf(bytes: string): string {
  return `whsec_${Buffer.from(bytes).toString('base64')}`
}

export const owner = 'ada'
export const thread = 't'

export interface HouseOptions {
  readonly checkpointer: Checkpointer
  readonly rule?: ApprovalRule<Refund>
  /** What the model says where nobody asks for a refund. */
  readonly says?: string
  /** The model waits for it. */
  readonly gate?: Promise<void>
}

let houses = 0

export type House = ReturnType<typeof openHouse>

export function openHouse({ checkpointer, rule, says, gate = Promise.resolve() }: HouseOptions, tenant = nextTenant()) {
  const { graph, model, executed } = refundClerk(rule, says)
  const gated: typeof model = {
    requests: model.requests,
    async *stream(request) {
      await gate
      yield* model.stream(request)
    },
  }
  const support = graph.compile({ checkpointer, model: gated, name: 'support' })
  const webhooks = { keys: async (of: string) => (of === tenant ? [webhookKey] : [otherWebhookKey]) }
  const review = { secret: reviewSecret }
  const app = serve({ graphs: { support }, checkpointer, webhooks, review, auth: { secret } })
  const send = (path: string, init: RequestInit): Promise<Response> =>
    Promise.resolve(app.request(path, { method: 'POST', ...init }))
  const runs = () => checkpointer.runs.list({ tenant, thread, owner: null }, { limit: 100, offset: 0 })
  return {
    ...{ tenant, app, support, executed, send, checkpointer, runs },
    /** Says something in the thread, and gives what waits then. */
    async ask(text: string, run?: string): Promise<readonly string[]> {
      const input = { messages: { role: 'user', content: text } }
      const place = { tenant, user: owner, thread, ...(run !== undefined && { run }) }
      const { interrupts } = await support.run(input, place)
      return interrupts.map(({ id }) => id)
    },
    /** Until nothing of the thread runs here. */
    async settled(): Promise<void> {
      for (let pauseMs = 20; pauseMs < 10_000; pauseMs *= 1.5) {
        const live = (await runs()).filter(({ status }) => status === 'queued' || status === 'running')
        if (live.length === 0) return
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
      throw new Error(`Something of tenant ${tenant} still runs.`)
    },
  }
}

export function nextTenant(): string {
  return `house-${process.pid}-${++houses}`
}

export interface TokenClaims {
  readonly tenant: string
  readonly sub?: string
  readonly scope?: string
  readonly exp?: number
  readonly nbf?: number
}

export function tokenOf(claims: TokenClaims, key = secret): Promise<string> {
  const exp = Math.floor(Date.now() / 1_000) + 600
  return sign({ sub: owner, scope: 'chat approve', exp, ...claims }, key, 'HS256')
}
