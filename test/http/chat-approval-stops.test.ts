// A stopped chat: what waits for a person is withdrawn, and what goes on after a decision ends.
import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { tool } from '../../src/index.ts'
import { chatApp, PromptedModel } from './chat-app.ts'
import { asked, call, chunksOf, decided, house, problem, shown } from './refund-chat.ts'

test('stop, in another isolate than that in which the run goes on', async () => {
  const checkpointer = memoryCheckpointer()
  const model = new PromptedModel()
  const shared = { checkpointer, leaseMs: 1_500 }
  const [here, elsewhere] = [house(shared), house({ ...shared, model })]
  const { id } = await asked(here.app)
  const going = await call(elsewhere.app, '/chat', { body: decided(id, true) })
  await (await call(here.app, '/chat/t/stop', { body: {} })).text()
  expect((await chunksOf(going)).at(-1)?.type).toBe('abort')
  expect((await shown(here.app)).length).toBeGreaterThan(0)
})

test('stop withdraws what waits, and stops a run that goes on', async () => {
  const { app, runs } = house()
  const { id } = await asked(app)
  expect((await call(app, '/chat/t/stop', { body: {} })).status).toBe(204)
  expect((await shown(app))[1]?.parts.at(-1)).toMatchObject({ state: 'output-error' })
  expect((await call(app, '/chat/t/stream')).status).toBe(204)
  expect(await problem(call(app, '/chat', { body: decided(id, true) }))).toMatchObject({ code: 'approval_cancelled' })
  expect(runs).toEqual([])

  const model = new PromptedModel()
  const refund = tool('refund', {
    description: 'R.',
    input: z.object({}),
    approval: { answerer: 'owner' },
    run: () => 'ok',
  })
  const slow = chatApp({ model, tools: [refund] })
  model.call('c1', 'refund')
  const { id: other } = await asked(slow.app)
  const going = await call(slow.app, '/chat', { body: decided(other, true) })
  const response = await call(slow.app, '/chat/t/stop', { body: {} })
  expect(response.status).toBe(204)
  expect((await chunksOf(going)).at(-1)?.type).toBe('abort')
})
