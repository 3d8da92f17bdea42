// The agent that is attacked: it has one tool, which a person must approve, and every call of it is counted.
import * as z from 'zod/mini'
import { type ApprovalRule, agent, tool } from '../src/index.ts'
import { type Script, scriptedModel } from '../src/testing/index.ts'

export interface Refund {
  readonly order: string
  readonly cents: number
}

/** Asks for a refund of every `order <name> <cents>` in the last message. With `says`, it says that instead. */
function script(says: string | undefined): Script {
  return (messages) => {
    const last = messages.at(-1)
    if (last?.role === 'tool') return `The tool said: ${last.content}`
    const orders = [...(last?.content ?? '').matchAll(/order (\w+) (\d+)/g)]
    if (orders.length === 0) return says ?? 'Which order?'
    return { calls: orders.map(([, order, cents]) => ({ name: 'refund', arguments: { order, cents: Number(cents) } })) }
  }
}

/** `executed`: what was refunded, whoever said that it may be. */
export function refundClerk(rule: ApprovalRule<Refund> = true, says?: string) {
  const executed: Refund[] = []
  const refund = tool('refund', {
    description: 'Refunds an order.',
    input: z.object({ order: z.string(), cents: z.number().check(z.int(), z.positive()) }),
    approval: rule,
    run: (asked) => {
      executed.push(asked)
      return `refunded ${asked.cents} cents on ${asked.order}`
    },
  })
  return { graph: agent({ tools: [refund] }), model: scriptedModel(script(says)), executed }
}
