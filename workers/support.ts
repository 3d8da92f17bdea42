// An example worth changing: a support desk that looks up orders, and refunds; large amounts when a person has approved. It remembers
// what a customer wants it to, across their threads.
import * as z from 'zod/mini'
import {
  callsTools,
  END,
  forgetTool,
  messages,
  modelNode,
  recalled,
  recallNode,
  recallTool,
  rememberTool,
  StateGraph,
  tool,
  toolNode,
} from '../src/index.ts'

interface Order {
  readonly item: string
  readonly cents: number
  readonly status: 'packing' | 'on its way' | 'delivered'
}

/** Stands for your shop's own service. */
const orders = new Map<string, Order>([
  ['A1', { item: 'a desk lamp', cents: 4_900, status: 'on its way' }],
  ['A2', { item: 'an oak desk', cents: 48_000, status: 'delivered' }],
  ['B7', { item: 'three notebooks', cents: 1_200, status: 'packing' }],
])

/** Above it a person must decide. */
const refundLimitCents = 5_000

const lookUpOrder = tool('lookup_order', {
  description: 'What was ordered, what it cost and where it is.',
  input: z.object({ order: z.string() }),
  run: ({ order }) => orders.get(order) ?? `There is no order "${order}".`,
})

const refund = tool('refund', {
  description: `Refund an order. Above ${refundLimitCents} cents a person is asked first.`,
  input: z.object({ order: z.string(), cents: z.number().check(z.int(), z.positive()) }),
  approval: ({ cents }) => cents > refundLimitCents,
  run: ({ order, cents }, { idempotencyKey }) => {
    const found = orders.get(order)
    if (found === undefined) throw new Error(`there is no order "${order}"`)
    if (cents > found.cents) throw new Error(`order ${order} cost only ${found.cents} cents`)
    // Your payment service takes the key, so that a call made twice refunds once.
    return { refunded: cents, order, reference: idempotencyKey }
  },
})

const tools = [lookUpOrder, refund, rememberTool(), recallTool(), forgetTool()]

const instructions = `You are the support desk of a small shop. Be brief and kind.
Look an order up before you speak of it. Refund only what the customer asks for.
What is remembered of the customer is given to you. When they ask you to remember something, do; when you need more of what they said in other conversations, recall it.`

export const support = new StateGraph({
  state: { messages: messages(), recalled: recalled() },
  nodes: {
    recall: recallNode(),
    reply: modelNode({ system: instructions, tools, timeoutMs: 45_000 }),
    tools: toolNode(tools),
  },
  edges: {
    start: 'recall',
    recall: 'reply',
    reply: (state) => (callsTools(state) ? 'tools' : END),
    tools: 'reply',
  },
})
