// What a graph asks in a chat as data: questions that are no approvals, and approvals for a client without parts for them.
import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { interrupt, last, messages, StateGraph } from '../../src/index.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { chatApp } from './chat-app.ts'
import { call, chunksOf, decided, house, problem, said, shown, textOf } from './refund-chat.ts'
import { expectReadable } from './ui-chunk-keys.ts'

test('for ai 5 everything is in data parts, and a decision comes back in one', async () => {
  const { app, runs } = house()
  const chunks = await chunksOf(call(app, '/chat', { body: said('refund A1', { approvals: 'data' }) }))
  expectReadable(chunks)
  const [part = expect.unreachable()] = chunks.filter(({ type }) => type === 'data-approval')
  const id = 'id' in part ? part.id : ''
  expect(part).toEqual({
    type: 'data-approval',
    id,
    data: { id, toolCallId: 'c1', tool: 'refund', input: { order: 'A1', cents: 900 } },
  })
  expectReadable(await chunksOf(call(app, '/chat/t/stream?approvals=data')))
  expect((await shown(app, '?approvals=data'))[1]?.parts.at(-1)).toEqual(part)
  const parts = [{ type: 'data-approval', id, data: { id, approved: false, reason: 'no' } }]
  const body = { id: 't', approvals: 'data', messages: [{ id: 'x', role: 'assistant', parts }] }
  const end = await chunksOf(call(app, '/chat', { body }))
  expectReadable(end, { calls: ['c1'] })
  expect(end[1]).toMatchObject({ type: 'tool-output-error', toolCallId: 'c1' })
  expect(runs).toEqual([])
  expect((await call(app, '/chat/t/stream?approvals=other')).status).toBe(422)
})

test('a question of another kind is told as data, and is answered by its own road', async () => {
  const colour = interrupt('colour', { payload: z.string(), answer: z.enum(['red', 'blue']) })
  const graph = new StateGraph({
    state: { messages: messages(), colour: last('') },
    nodes: {
      ask: { interrupts: [colour], run: async (_, context) => ({ colour: await context.interrupt(colour, 'which?') }) },
      tell: ({ colour }) => ({ messages: { role: 'assistant', content: `It is ${colour}.` } as const }),
    },
    edges: { start: 'ask', ask: 'tell' },
  })
  const { app } = chatApp({ graph })
  const chunks = await chunksOf(call(app, '/chat', { body: said('paint') }))
  expectReadable(chunks)
  const [part = expect.unreachable()] = chunks.filter(({ type }) => type === 'data-interrupt')
  const id = ('id' in part && part.id) || ''
  expect(part).toMatchObject({ data: { id, node: 'ask', kind: 'colour', payload: 'which?' } })
  expect((await shown(app)).at(-1)).toMatchObject({ role: 'assistant', parts: [part] })
  expect(await problem(call(app, '/chat', { body: decided(id, true) }))).toEqual({ status: 422, code: 'input_invalid' })
  await (await call(app, `/approvals/${id}`, { body: { answer: 'red' } })).text()
  await expect.poll(async () => (await shown(app)).at(-1)?.parts.at(-1)).toMatchObject({ text: 'It is red.' })
})

test('what is said beside a question is void until the superstep is done, and told once then', async () => {
  const colour = interrupt('colour', { payload: z.string(), answer: z.enum(['red', 'blue']) })
  const graph = new StateGraph({
    state: { messages: messages(), colour: last('') },
    nodes: {
      talk: async (state, { model }) => ({ messages: await model.reply(state.messages) }),
      ask: { interrupts: [colour], run: async (_, context) => ({ colour: await context.interrupt(colour, 'which?') }) },
    },
    edges: { start: ['talk', 'ask'] },
  })
  const { app } = chatApp({ graph, model: scriptedModel(() => 'I think of one.') })
  const chunks = await chunksOf(call(app, '/chat', { body: said('paint') }))
  expectReadable(chunks)
  expect(textOf(chunks)).toBe('I think of one.')
  expect(chunks).toContainEqual({ type: 'data-withdrawn', data: { parts: [1] } })
  expect((await shown(app)).at(-1)?.parts.map(({ type }) => type)).toEqual(['data-interrupt'])
  const [question] = (await (await call(app, '/approvals')).json()) as { id: string }[]
  await (await call(app, `/approvals/${question?.id}`, { body: { answer: 'red' } })).text()
  await expect
    .poll(async () => (await shown(app)).at(-1)?.parts)
    .toMatchObject([{ type: 'step-start' }, { type: 'text', text: 'I think of one.' }])
})
