// A deployment whose agent has a tool that a person must approve, and that counts its calls.
import { type Refund, refundClerk } from '../../attacks/clerk.ts'
import { memoryCheckpointer, memoryEventLog } from '../../src/adapters/memory/index.ts'
import type { ApprovalRule } from '../../src/agent/tool.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import { type Claims, deployment, said } from './deployment.ts'

/** What is known of every tenant's webhooks in tests. */
export const webhookSecret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`
export const reviewSecret = 'a secret for links, of thirty-two bytes'

export function askingDeployment(rule: ApprovalRule<Refund> = true, checkpointer: Checkpointer = memoryCheckpointer()) {
  const { graph, model, executed } = refundClerk(rule)
  const events = memoryEventLog()
  const graphs = { support: graph.compile({ checkpointer, events, deepFreeze: true, name: 'support', model }) }
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
