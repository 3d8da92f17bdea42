// A graph as a node of another: what it asks is asked in the thread, and what it has done is not done again.
import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { agent, append, interrupt, last, messages, StateGraph, subgraph, tool, user } from '../../src/index.ts'
import { scriptedModel } from '../../src/testing/index.ts'

const place = { tenant: 'acme', user: 'ada', thread: 't' }
const review = interrupt('review', { payload: z.string(), answer: z.boolean() })

function research() {
  const ran: string[] = []
  const inner = new StateGraph({
    state: { question: last(''), notes: append<string>() },
    nodes: {
      search: ({ question }) => {
        ran.push('search')
        return { notes: `found ${question}` }
      },
      left: {
        interrupts: [review],
        run: async ({ notes }, { interrupt }) => ({ notes: `left ${await interrupt(review, notes.join())}` }),
      },
      right: async (_, { task }) => {
        ran.push('right')
        return { notes: await task('part', () => 'right') }
      },
    },
    edges: { start: 'search', search: ['left', 'right'] },
  })
  const outer = new StateGraph({
    state: { question: last(''), report: last<readonly string[]>([]) },
    nodes: {
      research: subgraph(inner, {
        input: ({ question }: { question: string }) => ({ question }),
        output: ({ notes }) => ({ report: notes }),
      }),
      after: ({ report }) => ({ question: `${report.length} notes` }),
    },
    edges: { start: 'research', research: 'after' },
  })
  return { ran, app: outer.compile({ checkpointer: memoryCheckpointer() }) }
}

test('what a node inside asks waits in the thread; what ran beside and before it is not run again', async () => {
  const { ran, app } = research()
  const asked = await app.run({ question: 'x' }, place)
  expect(asked).toMatchObject({
    status: 'interrupted',
    interrupts: [{ node: 'research', kind: 'review', payload: 'found x' }],
  })
  const end = await app.resume({ [`${asked.interrupts[0]?.id}`]: true }, place)
  expect(end.values).toEqual({ question: '3 notes', report: ['found x', 'left true', 'right'] })
  expect(ran).toEqual(['search', 'right'])
})

test('an agent inside asks before its tool runs, which runs once', async () => {
  const executed: number[] = []
  const refund = tool('refund', {
    description: 'Refunds.',
    input: z.object({ cents: z.number() }),
    approval: true,
    run: ({ cents }) => {
      executed.push(cents)
      return 'refunded'
    },
  })
  const model = scriptedModel((said) =>
    said.at(-1)?.role === 'tool'
      ? `Done: ${said.at(-1)?.content}`
      : { calls: [{ name: 'refund', arguments: { cents: 5 } }] },
  )
  const desk = agent({ tools: [refund] })
  const app = new StateGraph({
    state: { messages: messages(), answer: last('') },
    nodes: {
      desk: subgraph(desk, {
        input: (_: object) => ({ messages: user('refund it') }),
        output: ({ messages: said }) => ({ answer: said.at(-1)?.content ?? '' }),
      }),
    },
    edges: { start: 'desk' },
  }).compile({ checkpointer: memoryCheckpointer(), model })
  const { interrupts } = await app.run({}, place)
  expect(executed).toEqual([])
  const { values } = await app.resume({ [`${interrupts[0]?.id}`]: { decision: 'approve' } }, place)
  expect(values.answer).toBe('Done: refunded')
  expect(executed).toEqual([5])
  expect(model.requests).toHaveLength(2)
})

test('one that does not end is an error, and one that needs a model says so when it is compiled', async () => {
  const loop = new StateGraph({
    state: { n: last(0) },
    nodes: { a: ({ n }) => ({ n: n + 1 }) },
    edges: { start: 'a', a: 'a' },
    stepLimit: 3,
  })
  const around = { input: (_: object) => ({}), output: () => ({}) }
  const app = new StateGraph({
    state: { n: last(0) },
    nodes: { loop: subgraph(loop, around) },
    edges: { start: 'loop' },
  }).compile()
  await expect(app.invoke({})).rejects.toMatchObject({ code: 'step_limit' })
  const needy = new StateGraph({
    state: { n: last(0) },
    nodes: { desk: subgraph(agent(), around) },
    edges: { start: 'desk' },
  })
  expect(() => needy.compile()).toThrow(/needs a model/)
})
