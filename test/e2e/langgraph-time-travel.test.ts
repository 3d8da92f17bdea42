// The published LangGraph client, unchanged: states, updates, forks, history and copies.
import { Client, type ThreadState } from '@langchain/langgraph-sdk'
import { afterEach, expect, test } from 'vitest'
import { tokenFor } from '../http/deployment.ts'
import { travelling } from '../http/travelling.ts'
import { type Loopback, loopback } from './loopback.ts'

let server: Loopback | undefined
afterEach(() => server?.close())

async function connected(scope = 'chat') {
  const { app, ...all } = travelling()
  server = await loopback((request) => app.fetch(request))
  const options = { apiUrl: server.url, apiKey: await tokenFor({ scope }), callerOptions: { maxRetries: 0 } }
  return { ...all, client: new Client(options) }
}

const ids = (history: readonly ThreadState[]) => history.map(({ checkpoint }) => checkpoint.checkpoint_id)

test('a state is updated, and forked from a checkpoint of the history', async () => {
  // `asNode` is for operators.
  const { client } = await connected('chat operate')
  const { thread_id: thread } = await client.threads.create()
  await client.runs.wait(thread, 'abc', { input: { log: 'in' } })
  const updated = await client.threads.updateState(thread, { values: { word: 'new' } })
  expect(updated).toMatchObject({ configurable: { thread_id: thread, checkpoint_id: '5' } })
  expect(await client.threads.getState(thread)).toMatchObject({
    values: { word: 'new' },
    metadata: { source: 'update' },
  })
  await client.threads.patchState(thread, { topic: 'words' })
  expect((await client.threads.get(thread)).metadata).toMatchObject({ topic: 'words' })
  const history = await client.threads.getHistory(thread)
  expect(ids(history)).toEqual(['5', '4', '3', '2', '1'])
  const [, , , second] = history
  if (second === undefined) throw new Error('no history')
  await client.threads.updateState(thread, { values: { word: 'forked' }, checkpoint: second.checkpoint })
  const forked = await client.threads.getState(thread)
  expect(forked).toMatchObject({ next: ['b'], values: { word: 'forked' }, parent_checkpoint: second.checkpoint })
  await client.threads.updateState(thread, { values: { log: 'as a' }, asNode: 'b', checkpointId: '2' })
  expect((await client.threads.getState(thread)).next).toEqual(['c'])
  expect(
    ids(await client.threads.getHistory(thread, { limit: 1, before: { configurable: { checkpoint_id: '7' } } })),
  ).toEqual(['2'])
  expect((await client.threads.getState(thread, '4')).values).toMatchObject({ log: ['in', 'a1', 'b ', 'c'] })
  await expect(client.threads.updateState(thread, { values: { wrod: 1 } })).rejects.toThrow(/HTTP 422.*input_invalid/)
  await expect(client.threads.updateState(thread, { values: {}, checkpointId: '99' })).rejects.toThrow(/HTTP 404/)
})

test('a thread is copied', async () => {
  const { client } = await connected()
  const { thread_id: thread } = await client.threads.create()
  const values = await client.runs.wait(thread, 'abc', { input: { log: 'in' } })
  const copy = await client.threads.copy(thread)
  expect(copy.thread_id).not.toBe(thread)
  expect((await client.threads.getState(copy.thread_id)).values).toEqual(values)
})

test('what a run has asked is in its thread, in its state, and in a search', async () => {
  const { client, asked } = await connected()
  await asked()
  const state = await client.threads.getState('t1')
  expect(state.tasks).toMatchObject([{ name: 'tools', interrupts: [{ value: { tool: 'refund' } }] }])
  const thread = await client.threads.get('t1')
  expect(thread).toMatchObject({
    status: 'interrupted',
    interrupts: { [state.tasks[0]?.id ?? '']: state.tasks[0]?.interrupts },
  })
  expect(await client.threads.search({ status: 'interrupted' })).toEqual([thread])
})
