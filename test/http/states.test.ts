// States and history in the LangGraph wire.
import { expect, test } from 'vitest'
import { serve } from '../../src/http/index.ts'
import { deployment, said, secret, tokenFor } from './deployment.ts'

async function talkedTo() {
  const all = deployment()
  const send = all.as()
  for (const text of ['one', 'two']) {
    await send('POST', '/threads/t1/runs/wait', { assistant_id: 'chat', input: said(text), if_not_exists: 'create' })
  }
  return { ...all, send }
}

test('the state of a thread is that of its head', async () => {
  const { send } = await talkedTo()
  const { body } = await send('GET', '/threads/t1/state')
  expect(body.values.messages.map(({ content }: { content: string }) => content)).toEqual([
    'one',
    'You said one',
    'two',
    'You said two',
  ])
  expect(body).toMatchObject({
    next: [],
    tasks: [],
    checkpoint: { thread_id: 't1', checkpoint_ns: '', checkpoint_id: '4' },
  })
  expect(body.parent_checkpoint.checkpoint_id).toBe('3')
  expect(body.metadata).toMatchObject({ source: 'loop', step: 1, graph_id: 'chat' })
})

test('a checkpoint is read by its id, in the path and in the body', async () => {
  const { send } = await talkedTo()
  const byPath = await send('GET', '/threads/t1/state/3')
  expect(byPath.body).toMatchObject({
    next: ['model'],
    tasks: [{ name: 'model', error: null }],
    metadata: { source: 'input' },
  })
  expect(byPath.body.values.messages).toHaveLength(3)
  const reference = { thread_id: 't1', checkpoint_ns: '', checkpoint_id: '3', checkpoint_map: null }
  expect((await send('POST', '/threads/t1/state/checkpoint', { checkpoint: reference })).body).toEqual(byPath.body)
})

test('a thread without a run has a state without values', async () => {
  const send = deployment().as()
  await send('POST', '/threads', { thread_id: 't1' })
  const { body } = await send('GET', '/threads/t1/state')
  expect(body).toMatchObject({ values: {}, next: [], created_at: null, parent_checkpoint: null })
  expect(body.checkpoint.checkpoint_id).toBeNull()
  expect((await send('POST', '/threads/t1/history', {})).body).toEqual([])
})

test('history is paged, newest first, by GET and by POST', async () => {
  const { send } = await talkedTo()
  const ids = ({ body }: { body: { checkpoint: { checkpoint_id: string } }[] }) =>
    body.map(({ checkpoint }) => checkpoint.checkpoint_id)
  expect(ids(await send('POST', '/threads/t1/history', {}))).toEqual(['4', '3', '2', '1'])
  expect(ids(await send('GET', '/threads/t1/history?limit=2'))).toEqual(['4', '3'])
  expect(ids(await send('GET', '/threads/t1/history?limit=2&before=3'))).toEqual(['2', '1'])
  for (const before of ['3', { checkpoint_id: '3' }, { configurable: { checkpoint_id: '3', thread_id: 't1' } }]) {
    expect(ids(await send('POST', '/threads/t1/history', { limit: 1, before }))).toEqual(['2'])
  }
  expect(ids(await send('POST', '/threads/t1/history', { checkpoint: { checkpoint_id: '2' } }))).toEqual(['2', '1'])
})

test('a checkpoint that is not there is unknown, whatever its id looks like', async () => {
  const { send } = await talkedTo()
  for (const id of ['99', 'abc', '0', '1e3', '01']) {
    expect(await send('GET', `/threads/t1/state/${id}`), id).toMatchObject({
      status: 404,
      body: { code: 'checkpoint_unknown' },
    })
  }
})

test('a thread of a graph that is no longer deployed says so', async () => {
  const { send, app, checkpointer, graphs } = await talkedTo()
  const { clerk } = graphs
  if (clerk === undefined) throw new Error('no clerk')
  const later = serve({ graphs: { clerk }, checkpointer, auth: { secret } })
  const headers = { authorization: `Bearer ${await tokenFor()}` }
  const answer = await later.request('/threads/t1/state', { headers })
  expect(await answer.json()).toMatchObject({ code: 'graph_unknown', detail: expect.stringContaining('"chat"') })
  expect(await (await later.request('/threads/t1', { headers })).json()).toMatchObject({ thread_id: 't1', values: {} })
  const search = await later.request('/threads/search', { method: 'POST', headers, body: '{}' })
  expect(await search.json()).toMatchObject([{ thread_id: 't1', values: {} }])
  expect((await app.request('/threads/t1/state', { headers })).status).toBe(200)
  expect((await send('GET', '/threads/t1')).status).toBe(200)
})

test('values that JSON has no word for are shown as plain JSON', async () => {
  const send = deployment().as()
  await send('POST', '/threads/t1/runs/wait', { assistant_id: 'odd', input: {}, if_not_exists: 'create' })
  const { body } = await send('GET', '/threads/t1/state')
  expect(body.values.value).toEqual({ at: '1970-01-01T00:00:00.000Z', big: '10', map: [['a', 1]], set: [1] })
})
