// A deployment whose agent has a tool that a person must approve, and that counts its calls.
import * as z from 'zod/mini'
import { memoryCheckpointer, memoryEventLog } from '../../src/adapters/memory/index.ts'
import { agent } from '../../src/agent/agent.ts'
import { type ApprovalRule, tool } from '../../src/agent/tool.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import { type Script, scriptedModel } from '../../src/testing/index.ts'
import { type Claims, deployment, said } from './deployment.ts'

export interface Refund {
  readonly order: string
  readonly cents: number
}

/** What is known of every tenant's webhooks in tests. */
export const webhookSecret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`
export const reviewSecret = 'a secret for links, of thirty-two bytes'

/** Asks for a refund of whatever is asked for in cents; two of them when asked twice. */
const clerk: Script = (messages) => {
  const last = messages.at(-1)
  if (last?.role === 'tool') return `The tool said: ${last.content}`
  const orders = [...(last?.content ?? '').matchAll(/order (\w+) (\d+)/g)]
  if (orders.length === 0) return 'Which order?'
  return { calls: orders.map(([, order, cents]) => ({ name: 'refund', arguments: { order, cents: Number(cents) } })) }
}

export function askingDeployment(rule: ApprovalRule<Refund> = true, checkpointer: Checkpointer = memoryCheckpointer()) {
  const executed: Refund[] = []
  const refund = tool('refund', {
    description: 'Refunds an order.',
    input: z.object({ order: z.string(), cents: z.number().check(z.int(), z.positive()) }),
    approval: rule,
    run: (refund) => {
      executed.push(refund)
      return `refunded ${refund.cents} cents on ${refund.order}`
    },
  })
  const events = memoryEventLog()
  const options = { checkpointer, events, deepFreeze: true, name: 'support', model: scriptedModel(clerk) }
  const graphs = { support: agent({ tools: [refund] }).compile(options) }
  const webhooks = { keys: async () => [webhookSecret] }
  const service = { graphs, checkpointer, events, webhooks, review: { secret: reviewSecret } }
  const { app, as } = deployment(service)
  /** Begins a run that asks, and gives what it asks. */
  const ask = async (text = 'order o1 6000', thread = 't1', claims: Claims = {}): Promise<readonly Asked[]> => {
    const body = { assistant_id: 'support', input: said(text), if_not_exists: 'create' }
    const answer = await as(claims)('POST', `/threads/${thread}/runs/wait`, body)
    return answer.body.__interrupt__
  }
  return { app, as, ask, executed, checkpointer, graphs }
}

export interface Asked {
  readonly id: string
  readonly value: unknown
  readonly kind: string
  readonly node: string
}
