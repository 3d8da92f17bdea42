// A question of a chat that is decided elsewhere: on a page that came back, by the API, by a webhook, in another isolate.
import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { memoryCheckpointer, memoryEventLog } from '../../src/adapters/memory/index.ts'
import { tool } from '../../src/index.ts'
import { signWebhook } from '../../src/kernel/webhook.ts'
import { chatApp, PromptedModel, webhookSecret } from './chat-app.ts'
import { asked, call, chunksOf, decided, house, problem, requestsIn, said, shown, textOf } from './refund-chat.ts'
import { expectReadable } from './ui-chunk-keys.ts'

test('a page that comes back finds the question in the stream and in the messages, and can decide', async () => {
  const { app, runs } = house()
  const { id, run, chunks } = await asked(app)
  const replay = await chunksOf(call(app, '/chat/t/stream'))
  expectReadable(replay, { approvals: true })
  expect(replay[0]).toMatchObject({ type: 'start', messageId: run })
  expect(textOf(replay)).toBe(textOf(chunks))
  expect(requestsIn(replay)).toEqual([{ type: 'tool-approval-request', approvalId: id, toolCallId: 'c1' }])
  await chunksOf(call(app, '/chat', { body: decided(id, true) }))
  expect((await call(app, '/chat/t/stream')).status).toBe(204)
  expect(runs).toHaveLength(1)
})

test('a message sent again while it waits for an answer is told what it waits for', async () => {
  const { app } = house()
  const { id } = await asked(app)
  const again = await chunksOf(call(app, '/chat', { body: said('refund A1') }))
  expect(requestsIn(again)).toEqual([{ type: 'tool-approval-request', approvalId: id, toolCallId: 'c1' }])
})

test('approved by the API while the page is open: the stream of the thread has the whole answer', async () => {
  const model = new PromptedModel()
  const refund = tool('refund', { description: 'R.', input: z.object({}), approval: true, run: () => 'refunded' })
  const { app } = chatApp({ model, tools: [refund] })
  model.call('c1', 'refund')
  const { id, run } = await asked(app)
  const answer = { decision: 'approve' }
  const accepted = await call(app, `/approvals/${id}`, { as: 'boss', scope: 'approve', body: { answer } })
  expect(await accepted.json()).toMatchObject({ outcome: 'accepted' })
  expect((await shown(app)).map(({ role }) => role)).toEqual(['user'])
  const watching = await call(app, '/chat/t/stream')
  model.say('Refunded.')
  model.finish()
  const told = await chunksOf(watching)
  expect(told[0]).toMatchObject({ type: 'start', messageId: run })
  expect(told.filter(({ type }) => type === 'tool-output-available')).toHaveLength(1)
  expect(textOf(told)).toBe('Refunded.')
})

test.each([
  ['without an event log', undefined],
  ['with one', memoryEventLog()],
])(
  'asked in one isolate and decided in two at once: made once, and both pages hear the rest (%s)',
  async (_, events) => {
    const shared = { checkpointer: memoryCheckpointer(), ...(events && { events }) }
    const [one, two] = [house(shared), house(shared)]
    const { id, run } = await asked(one.app)
    const answers = [one, two, two].map(({ app }) => call(app, '/chat', { body: decided(id, true) }).then(chunksOf))
    for (const chunks of await Promise.all(answers)) {
      expectReadable(chunks, { approvals: true, calls: ['c1'] })
      expect(chunks[0]).toMatchObject({ messageId: run })
      expect(chunks.filter(({ type }) => type === 'tool-output-available')).toHaveLength(1)
      expect(textOf(chunks)).toBe('Then: refunded 900')
    }
    expect([...one.runs, ...two.runs]).toHaveLength(1)
  },
)

test.each([
  ['without an event log', undefined],
  ['with one', memoryEventLog()],
])('approved in another isolate: the stream of the thread has the whole answer here too (%s)', async (_, events) => {
  const shared = { checkpointer: memoryCheckpointer(), ...(events && { events }) }
  const model = new PromptedModel()
  const [here, elsewhere] = [house(shared), house({ ...shared, model })]
  const { id, run, chunks } = await asked(here.app)
  const body = { answer: { decision: 'approve' } }
  await (await call(elsewhere.app, `/approvals/${id}`, { body })).text()
  expect((await shown(here.app)).map(({ role }) => role)).toEqual(['user'])
  const watching = await call(here.app, '/chat/t/stream')
  expect(watching.status).toBe(200)
  model.say('Then it is done.')
  model.finish()
  const told = await chunksOf(watching)
  expectReadable(told, { approvals: true })
  expect(told[0]).toMatchObject({ messageId: run })
  expect(textOf(told)).toBe(`${textOf(chunks)}Then it is done.`)
  expect(told.filter(({ type }) => type === 'tool-output-available')).toHaveLength(1)
  const stopped = await call(here.app, '/chat/t/stop', { body: {} })
  expect(stopped.status).toBe(204)
  expect(elsewhere.runs).toHaveLength(1)
})

test('approved by a signed webhook while the page is open: the messages have the whole answer', async () => {
  const { app, runs } = house({ rules: { answerer: 'approver' } })
  const { id, run } = await asked(app)
  const data = { id, answer: { decision: 'approve' }, by: 'sam' }
  const body = JSON.stringify({ type: 'approval.answered', data })
  const headers = { ...signWebhook({ id: 'wh_1', body, nowMs: Date.now() }, [webhookSecret]) }
  const deliver = () => app.fetch(new Request('http://chat/webhooks/acme/approvals', { method: 'POST', headers, body }))
  expect((await Promise.all([deliver(), deliver(), deliver()])).map(({ status }) => status)).toEqual([200, 200, 200])
  await expect.poll(async () => (await shown(app))[1]?.parts.at(-1)).toMatchObject({ text: 'Then: refunded 900' })
  expect((await shown(app))[1]?.id).toBe(run)
  expect(await problem(call(app, '/chat', { body: decided(id, true), scope: 'chat approve' }))).toEqual({
    status: 409,
    code: 'approval_answered',
  })
  expect(runs).toHaveLength(1)
})
