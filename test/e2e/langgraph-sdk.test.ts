// The published LangGraph client, unchanged, against the application on loopback.
import { Client } from '@langchain/langgraph-sdk'
import { afterEach, expect, test, vi } from 'vitest'
import { deployment, tokenFor } from '../http/deployment.ts'
import { until } from '../until.ts'
import { type Loopback, loopback } from './loopback.ts'

let server: Loopback | undefined

afterEach(async () => {
  await server?.close()
  vi.restoreAllMocks()
})

async function connected() {
  const { app, open } = deployment()
  const requests: string[] = []
  server = await loopback((request) => {
    requests.push(`${request.method} ${new URL(request.url).pathname}`)
    return app.fetch(request)
  })
  const { url, cut } = server
  const clientFor = async (who: Record<string, unknown>) =>
    new Client({ apiUrl: url, apiKey: await tokenFor(who), callerOptions: { maxRetries: 0 } })
  return { client: await clientFor({}), clientFor, open, cut, requests }
}

const hello = { messages: [{ type: 'human', content: 'hello' }] }

interface Said {
  readonly messages: readonly { readonly type: string; readonly content: string }[]
}

const contents = (values: unknown) => (values as Said).messages.map(({ content }) => content)

async function collected<Item>(stream: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = []
  for await (const item of stream) items.push(item)
  return items
}

test('threads are created, found, changed and deleted', async () => {
  const { client } = await connected()
  const made = await client.threads.create({ metadata: { topic: 'tea' }, graphId: 'chat' })
  expect(made).toMatchObject({ status: 'idle', metadata: { topic: 'tea', graph_id: 'chat' } })
  expect(await client.threads.get(made.thread_id)).toEqual(made)
  expect(await client.threads.search({ metadata: { topic: 'tea' } })).toEqual([made])
  expect(await client.threads.count({ metadata: { topic: 'tea' } })).toBe(1)
  const changed = await client.threads.update(made.thread_id, { metadata: { topic: 'coffee' } })
  expect(changed?.metadata).toMatchObject({ topic: 'coffee' })
  await client.threads.update(made.thread_id, { metadata: { topic: 'water' }, returnMinimal: true })
  expect((await client.threads.get(made.thread_id)).metadata).toMatchObject({ topic: 'water' })
  await client.threads.delete(made.thread_id)
  await expect(client.threads.get(made.thread_id)).rejects.toThrow(/HTTP 404.*thread_unknown/)
})

test('a thread is created once', async () => {
  const { client } = await connected()
  await client.threads.create({ threadId: 't1' })
  await expect(client.threads.create({ threadId: 't1' })).rejects.toThrow(/HTTP 409.*thread_exists/)
  expect(await client.threads.create({ threadId: 't1', ifExists: 'do_nothing' })).toMatchObject({ thread_id: 't1' })
})

test('a run is waited for, and its state and history are read', async () => {
  const { client } = await connected()
  const { thread_id: thread } = await client.threads.create()
  let created: unknown
  const values = await client.runs.wait(thread, 'chat', {
    input: hello,
    onRunCreated: (run) => {
      created = run
    },
  })
  expect(contents(values)).toEqual(['hello', 'You said hello'])
  const state = await client.threads.getState(thread)
  expect(state.values).toEqual(values)
  expect(state).toMatchObject({ next: [], checkpoint: { thread_id: thread } })
  const history = await client.threads.getHistory(thread)
  expect(history.map(({ next }) => next)).toEqual([[], ['model']])
  const [, first] = history
  if (first === undefined) throw new Error('no history')
  expect(await client.threads.getState(thread, first.checkpoint)).toEqual(first)
  expect(await client.threads.getState(thread, first.checkpoint.checkpoint_id ?? '')).toEqual(first)
  expect(await client.threads.getHistory(thread, { limit: 1, checkpoint: first.checkpoint })).toEqual([first])
  const before = { configurable: { checkpoint_id: history[0]?.checkpoint.checkpoint_id ?? '' } }
  expect(await client.threads.getHistory(thread, { before })).toEqual([first])
  const [run] = await client.runs.list(thread)
  expect(run).toMatchObject({ status: 'success', thread_id: thread })
  expect(created).toEqual({ run_id: run?.run_id, thread_id: thread })
  expect(await client.runs.get(thread, run?.run_id ?? '')).toEqual(run)
  expect(await client.runs.join(thread, run?.run_id ?? '')).toEqual(values)
})

test('a run is streamed in every mode', async () => {
  const { client } = await connected()
  const { thread_id: thread } = await client.threads.create()
  const modes = ['values', 'updates', 'messages-tuple', 'custom'] as const
  const parts = await collected(client.runs.stream(thread, 'clerk', { input: hello, streamMode: [...modes] }))
  const of = (event: string) => parts.filter((part) => part.event === event)
  expect(parts[0]).toMatchObject({ event: 'metadata', data: { run_id: expect.any(String) } })
  expect(contents(of('values').at(-1)?.data)).toEqual(['hello', '', 'noon', 'It is noon.'])
  expect(of('updates').map(({ data }) => Object.keys(data as object)[0])).toEqual(['model', 'tools', 'model'])
  const chunks = of('messages').map(({ data }) => (data as unknown as [{ content: string; type: string }])[0])
  expect(
    chunks
      .filter(({ type }) => type === 'AIMessageChunk')
      .map(({ content }) => content)
      .join(''),
  ).toBe('It is noon.')
  expect(chunks.filter(({ type }) => type === 'tool').map(({ content }) => content)).toEqual(['noon'])
  expect(of('error')).toEqual([])
})

test('a run without a thread is waited for and streamed', async () => {
  const { client } = await connected()
  expect(contents(await client.runs.wait(null, 'chat', { input: hello }))).toEqual(['hello', 'You said hello'])
  const parts = await collected(client.runs.stream(null, 'chat', { input: hello, streamMode: 'values' }))
  expect(contents(parts.at(-1)?.data)).toEqual(['hello', 'You said hello'])
  expect(await client.threads.search()).toEqual([])
})

test('the graphs are found, read and drawn', async () => {
  const { client } = await connected()
  const [chat] = await client.assistants.search({ graphId: 'chat' })
  expect(chat).toMatchObject({ graph_id: 'chat', name: 'chat' })
  const id = chat?.assistant_id ?? ''
  expect(await client.assistants.get(id)).toEqual(chat)
  expect((await client.assistants.getGraph(id)).nodes.map((node) => node.id)).toContain('model')
  expect(await client.assistants.getSchemas(id)).toMatchObject({ graph_id: 'chat' })
  expect(contents(await client.runs.wait(null, id, { input: hello }))).toHaveLength(2)
})

test('what is wrong reaches the caller with its code', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const { client, clientFor } = await connected()
  await client.threads.create({ threadId: 't1' })
  await expect(client.runs.wait('t1', 'nobody', { input: hello })).rejects.toThrow(/HTTP 404.*graph_unknown/)
  await expect(client.runs.wait('none', 'chat', { input: hello })).rejects.toThrow(/HTTP 404.*thread_unknown/)
  await expect(client.runs.wait('t1', 'chat', { input: { nothing: 1 } })).rejects.toThrow(/HTTP 422.*input_invalid/)
  await expect(client.runs.wait('t1', 'chat', { input: hello, command: { resume: 1 } })).rejects.toThrow(
    /feature_unsupported/,
  )
  await expect(client.runs.wait('t1', 'fails', { input: {} })).rejects.toThrow('node_failed: Node "fail" threw Error.')
  const parts = await collected(client.runs.stream('t1', 'fails', { input: {} }))
  expect(parts.at(-1)).toMatchObject({ event: 'error', data: { error: 'node_failed' } })
  const stranger = await clientFor({ sub: 'sam' })
  await expect(stranger.threads.getState('t1')).rejects.toThrow(/HTTP 404.*thread_unknown/)
  const scopeless = await clientFor({ scope: '' })
  await expect(scopeless.threads.create()).rejects.toThrow(/HTTP 403.*scope_missing/)
})

test('a second run on a busy thread is refused', async () => {
  const { client, open } = await connected()
  await client.threads.create({ threadId: 't1' })
  const first = client.runs.wait('t1', 'waits', { input: hello })
  await until(async () => expect((await client.threads.get('t1')).status).toBe('busy'))
  await expect(client.runs.wait('t1', 'waits', { input: hello })).rejects.toThrow(/HTTP 409.*thread_busy/)
  open()
  expect(await first).toMatchObject({ noted: 'done' })
})

test('a stream whose connection breaks is taken up where it was, during the run and after it', async () => {
  for (const ended of [false, true]) {
    const { client, open, cut, requests } = await connected()
    await client.threads.create({ threadId: 't1' })
    const events: string[] = []
    let last: unknown
    const stream = client.runs.stream('t1', 'waits', { input: hello, streamMode: ['custom', 'values'] })
    for await (const { event, data } of stream) {
      events.push(event)
      last = data
      if (event !== 'custom') continue
      cut()
      if (ended) open()
      else until(() => expect(requests.at(-1)).toMatch(/^GET .*\/stream$/)).then(open)
    }
    expect(events).toEqual(['metadata', 'custom', 'values', ...(ended ? [] : ['values'])])
    expect(last).toMatchObject({ noted: 'done' })
    await server?.close()
  }
})

test('a run is stopped, and the thread takes the next', async () => {
  const { client, open } = await connected()
  await client.threads.create({ threadId: 't1' })
  const waiting = client.runs.wait('t1', 'waits', { input: hello })
  const failure = expect(waiting).rejects.toThrow(/run_cancelled/)
  await until(async () => expect((await client.threads.get('t1')).status).toBe('busy'))
  const [run] = await client.runs.list('t1')
  await client.runs.cancel('t1', run?.run_id ?? '', true)
  await failure
  expect((await client.runs.get('t1', run?.run_id ?? '')).status).toBe('interrupted')
  open()
  expect(await client.runs.wait('t1', 'waits', { input: hello })).toMatchObject({ noted: 'done' })
})
