// A deployment for tests of going back: an agent that asks before it refunds, and a graph of three nodes.
import * as z from 'zod/mini'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { agent, append, last, messages, StateGraph, tool } from '../../src/index.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import { type Script, scriptedModel } from '../../src/testing/index.ts'
import { deployment, said } from './deployment.ts'

/** Looks the order up, refunds it, and says so. */
const clerk: Script = (told) => {
  const results = told.filter(({ role }) => role === 'tool').length
  if (results === 0) return { text: 'Let me see.', calls: [{ id: 'c1', name: 'order', arguments: { id: 'A-17' } }] }
  if (results === 1) return { calls: [{ id: 'c2', name: 'refund', arguments: { order: 'A-17', cents: 9_900 } }] }
  return 'Done.'
}

export function travelling(checkpointer: Checkpointer = memoryCheckpointer()) {
  const order = tool('order', {
    description: 'Reads an order.',
    input: z.object({ id: z.string() }),
    run: () => 'paid',
  })
  const refunds: number[] = []
  const refund = tool('refund', {
    description: 'Refunds an order.',
    input: z.object({ order: z.string(), cents: z.number() }),
    approval: true,
    run: ({ cents }) => {
      refunds.push(cents)
      return `refunded ${cents}`
    },
  })
  const desk = agent({ tools: [order, refund], system: 'Be kind.', temperature: 0.2 })
  const graphs = {
    desk: desk.compile({ checkpointer, model: scriptedModel(clerk), name: 'desk' }),
    abc: abc.compile({ checkpointer, name: 'abc' }),
  }
  const all = deployment({ graphs, checkpointer })
  const run = async (assistant_id: string, input: unknown, thread = 't1') => {
    const body = { assistant_id, input, if_not_exists: 'create' }
    const answer = await all.as()('POST', `/threads/${thread}/runs/wait`, body)
    if (answer.status !== 200) throw new Error(answer.text)
    return answer
  }
  return { ...all, refunds, run, asked: () => run('desk', said('Refund A-17, please.')) }
}

const abc = new StateGraph({
  state: { messages: messages(), log: append<string>(), word: last<string>() },
  nodes: {
    a: ({ log }) => ({ log: `a${log.length}` }),
    b: ({ word }) => ({ log: `b ${word ?? ''}` }),
    c: () => ({ log: 'c' }),
  },
  edges: { start: 'a', a: 'b', b: 'c' },
})
