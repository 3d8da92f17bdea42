// Runs in the LangGraph wire.
import { afterEach, expect, test, vi } from 'vitest'
import { until } from '../until.ts'
import { type Answer, conforming, deployment, framesOf, said, tokenFor } from './deployment.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const chat = { assistant_id: 'chat', input: said('hello'), if_not_exists: 'create' }
const kinds = ({ text }: Answer) => framesOf(text).map(({ event }) => event)

test('a run that is waited for gives the state at its end, and the thread keeps it', async () => {
  const send = deployment().as()
  const answer = await send('POST', '/threads/t1/runs/wait', chat)
  expect(answer.status).toBe(200)
  expect(answer.body.messages).toMatchObject([
    { type: 'human', content: 'hello' },
    {
      type: 'ai',
      content: 'You said hello',
      tool_calls: [],
      response_metadata: { finish_reason: 'stop', model_name: 'scripted' },
    },
  ])
  expect(answer.headers.get('content-location')).toMatch(/^\/threads\/t1\/runs\/[0-9a-f-]{36}$/)
  expect((await send('GET', '/threads/t1/state')).body.values).toEqual(answer.body)
})

test('a thread that does not exist is made only when asked for', async () => {
  const send = deployment().as()
  const { if_not_exists: _, ...plain } = chat
  expect(await send('POST', '/threads/t1/runs/wait', plain)).toMatchObject({
    status: 404,
    body: { code: 'thread_unknown' },
  })
  expect(await send('POST', '/threads/t1/runs/stream', plain)).toMatchObject({ status: 404 })
  expect(await send('POST', '/threads/t1/runs/wait', chat)).toMatchObject({ status: 200 })
})

test('an assistant is named by its graph or by its id', async () => {
  const send = deployment().as()
  const [first] = (await send('POST', '/assistants/search', { graph_id: 'chat' })).body
  const answer = await send('POST', '/runs/wait', { ...chat, assistant_id: first.assistant_id })
  expect(answer.body.messages).toHaveLength(2)
  const unknown = await send('POST', '/runs/wait', { ...chat, assistant_id: 'chta' })
  expect(unknown).toMatchObject({ status: 404, body: { code: 'graph_unknown' } })
  expect(unknown.body.detail).toContain('did you mean "chat"')
})

test('a stream begins with its metadata, numbers its frames and tells the values after each step', async () => {
  const answer = await deployment().as()('POST', '/threads/t1/runs/stream', chat)
  expect(answer.headers.get('content-type')).toBe('text/event-stream')
  expect(answer.headers.get('cache-control')).toContain('no-transform')
  const frames = framesOf(answer.text)
  expect(frames.map(({ event }) => event)).toEqual(['metadata', 'values', 'values'])
  expect(frames.map(({ id }) => id)).toEqual(['0-0', '1-0', '1-1'])
  const run = answer.headers.get('content-location')?.split('/').at(-1)
  expect(frames[0]?.data).toEqual({ run_id: run, attempt: 1, thread_id: 't1' })
  expect(answer.text.split('\n\n')[0]).toMatch(/^event: metadata\ndata: \{.*\}\nid: 0-0$/)
  expect(answer.headers.get('location')).toBe(`/threads/t1/runs/${run}/stream?stream_mode=values`)
})

test('the mode updates tells what each node wrote', async () => {
  const answer = await deployment().as()('POST', '/threads/t1/runs/stream', {
    ...chat,
    assistant_id: 'clerk',
    stream_mode: 'updates',
  })
  const updates = framesOf(answer.text)
    .slice(1)
    .map(({ data }) => Object.keys(data))
  expect(updates).toEqual([['model'], ['tools'], ['model']])
})

test('the mode messages-tuple tells a reply piece by piece, with its calls, and whole messages of tools', async () => {
  const answer = await deployment().as()('POST', '/threads/t1/runs/stream', {
    ...chat,
    assistant_id: 'clerk',
    stream_mode: ['messages-tuple'],
  })
  const frames = framesOf(answer.text).slice(1) as {
    event: string
    data: [Record<string, never>, Record<string, unknown>]
  }[]
  expect(new Set(frames.map(({ event }) => event))).toEqual(new Set(['messages']))
  const replies = frames.map(({ data }) => data[0])
  const calls = replies.flatMap(({ tool_call_chunks = [] }) => tool_call_chunks)
  expect(calls).toMatchObject([
    { index: 0, name: 'clock' },
    { index: 0, args: '{}' },
  ])
  expect(replies.find(({ type }) => type === 'tool')).toMatchObject({
    content: 'noon',
    name: 'clock',
    status: 'success',
  })
  const last = replies.filter(({ type, id }) => type === 'AIMessageChunk' && id === replies.at(-1)?.id)
  expect(last.map(({ content }) => content).join('')).toBe('It is noon.')
  expect(frames.at(-1)?.data[1]).toMatchObject({
    langgraph_node: 'model',
    langgraph_step: 3,
    thread_id: 't1',
    tags: [],
  })
  expect(replies.some(({ type }) => type === 'human')).toBe(false)
})

test('the mode messages tells replies as they grow', async () => {
  const answer = await deployment().as()('POST', '/runs/stream', { ...chat, stream_mode: 'messages' })
  const partial = framesOf(answer.text).filter(({ event }) => event === 'messages/partial')
  const grown = partial.map(({ data }) => (data as { content: string }[])[0]?.content)
  expect(grown).toEqual(['You ', 'You said ', 'You said hello'])
})

test('the mode custom tells what nodes emit', async () => {
  const { as, open } = deployment()
  open()
  const answer = await as()('POST', '/runs/stream', {
    assistant_id: 'waits',
    input: {},
    stream_mode: ['custom', 'values'],
  })
  const custom = framesOf(answer.text).find(({ event }) => event === 'custom')
  expect(custom?.data).toEqual({ name: 'progress', data: { percent: 50 } })
})

test('a run without a thread leaves nothing behind', async () => {
  const { as } = deployment()
  const send = as()
  const answer = await send('POST', '/runs/wait', { assistant_id: 'chat', input: said('hello') })
  expect(answer.body.messages).toHaveLength(2)
  expect(answer.headers.get('content-location')).toMatch(/^\/runs\/[0-9a-f-]{36}$/)
  expect((await send('POST', '/threads/count', {})).body).toBe(0)
})

test('a failed run is told in the wire that waits and in the one that streams, without a word of the node', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const send = deployment().as()
  const run = { assistant_id: 'fails', input: {}, if_not_exists: 'create' }
  const waited = await send('POST', '/threads/t1/runs/wait', run)
  expect(waited).toMatchObject({
    status: 200,
    body: { __error__: { error: 'node_failed', message: 'Node "fail" threw Error.' } },
  })
  const streamed = await send('POST', '/threads/t1/runs/stream', run)
  expect(framesOf(streamed.text).at(-1)).toMatchObject({ event: 'error', data: { error: 'node_failed' } })
  const [latest] = (await send('GET', '/threads/t1/runs')).body
  expect(latest.status).toBe('error')
  for (const { text } of [waited, streamed, await send('GET', '/threads/t1')]) expect(text).not.toContain('hunter2')
  expect((await send('POST', '/threads/t1/runs/wait', chat)).body.messages).toHaveLength(2)
})

test('a busy thread answers 409 with Retry-After, and takes the next run when it is free', async () => {
  const { as, open } = deployment()
  const send = as()
  const wait = { assistant_id: 'waits', input: said('first'), if_not_exists: 'create' }
  const first = send('POST', '/threads/t1/runs/wait', wait)
  await until(async () => expect((await send('GET', '/threads/t1')).body.status).toBe('busy'))
  const second = await send('POST', '/threads/t1/runs/wait', wait)
  expect(second).toMatchObject({ status: 409, body: { code: 'thread_busy', retryable: true } })
  expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await send('POST', '/threads/t1/runs/stream', wait)).status).toBe(409)
  open()
  expect((await first).body.noted).toBe('done')
  expect((await send('POST', '/threads/t1/runs/wait', wait)).body.messages).toHaveLength(2)
})

test('a run goes on when its reader leaves, and one that was to stop then is stopped', async () => {
  const { app, as, open } = deployment()
  const send = as()
  const leave = async (thread: string, more: object) => {
    const response = await app.request(`/threads/${thread}/runs/stream`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await tokenFor()}` },
      body: JSON.stringify({ assistant_id: 'waits', input: said('hi'), if_not_exists: 'create', ...more }),
    })
    const reader = response.body?.getReader()
    await reader?.read()
    await reader?.cancel()
  }
  await leave('stops', { on_disconnect: 'cancel' })
  await until(async () => expect((await send('GET', '/threads/stops/runs')).body[0].status).toBe('interrupted'))
  await leave('goes-on', {})
  open()
  await until(async () => expect((await send('GET', '/threads/goes-on/runs')).body[0].status).toBe('success'))
})

test('a silent stream says every five seconds that it is alive', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { app, open } = deployment()
  const headers = { authorization: `Bearer ${await tokenFor()}` }
  const begin = async (path: string) =>
    app.request(path, { method: 'POST', headers, body: '{"assistant_id":"waits","input":{}}' })
  // Both have begun before the clock moves.
  const [streaming, waiting] = await Promise.all(['/runs/stream', '/runs/wait'].map(begin))
  const [answer, waited] = [streaming?.text(), waiting?.text()]
  for (let seconds = 0; seconds < 12; seconds++) {
    await vi.advanceTimersByTimeAsync(1_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  open()
  expect((await answer)?.match(/^: heartbeat$/gm)?.length).toBe(2)
  expect(await waited).toMatch(/^\n\n\{/)
})

test('a stream is taken up again after the last event that was seen', async () => {
  const { app, as, open } = deployment()
  const send = as()
  const modes = ['custom', 'values']
  const whole = send('POST', '/threads/t1/runs/stream', {
    assistant_id: 'waits',
    input: said('hi'),
    if_not_exists: 'create',
    stream_mode: modes,
  })
  await until(async () => expect((await send('GET', '/threads/t1')).body.status).toBe('busy'))
  const [{ run_id: run }] = (await send('GET', '/threads/t1/runs')).body
  const path = `/threads/t1/runs/${run}/stream?stream_mode=${modes.join(',')}`
  const headers = { authorization: `Bearer ${await tokenFor()}`, 'last-event-id': '0-0' }
  const again = conforming('GET', path, await app.request(path, { headers }))
  open()
  expect(framesOf((await again).text)).toEqual(framesOf((await whole).text).slice(1))
  const later = await send('GET', path)
  expect(kinds(later)).toEqual(['metadata', 'values'])
  expect(framesOf(later.text).at(-1)?.data).toEqual(framesOf((await whole).text).at(-1)?.data)
  expect((await send('GET', `/threads/t1/runs/${run}/join`)).body.noted).toBe('done')
})

test('a run is stopped by its owner', async () => {
  const { as } = deployment()
  const send = as()
  const run = send('POST', '/threads/t1/runs/wait', {
    assistant_id: 'waits',
    input: said('hi'),
    if_not_exists: 'create',
  })
  await until(async () => expect((await send('GET', '/threads/t1')).body.status).toBe('busy'))
  const [{ run_id: id }] = (await send('GET', '/threads/t1/runs')).body
  expect((await as({ sub: 'sam' })('POST', `/threads/t1/runs/${id}/cancel`)).status).toBe(404)
  expect((await send('POST', `/threads/t1/runs/${id}/cancel?wait=1`)).status).toBe(204)
  expect((await run).body.__error__.error).toBe('run_cancelled')
  expect((await send('GET', `/threads/t1/runs/${id}`)).body.status).toBe('interrupted')
  expect((await send('GET', `/threads/t1/runs/${id}/join`)).body.__error__.error).toBe('run_cancelled')
})

test('runs are listed newest first and read by their id', async () => {
  const send = deployment().as()
  for (let n = 0; n < 3; n++) await send('POST', '/threads/t1/runs/wait', chat)
  const runs = (await send('GET', '/threads/t1/runs?limit=2')).body
  expect(runs).toHaveLength(2)
  expect((await send('GET', '/threads/t1/runs?limit=2&offset=2')).body).toHaveLength(1)
  expect((await send('GET', `/threads/t1/runs/${runs[0].run_id}`)).body).toEqual(runs[0])
  expect(runs[0]).toMatchObject({ thread_id: 't1', status: 'success', multitask_strategy: 'reject' })
  expect(await send('GET', '/threads/t1/runs/none')).toMatchObject({ status: 404, body: { code: 'run_unknown' } })
  expect(await send('GET', '/threads/t2/runs/none')).toMatchObject({ status: 404, body: { code: 'thread_unknown' } })
})

test('what a run cannot do yet is refused by name, what changes nothing is accepted', async () => {
  const send = deployment().as()
  const asked = {
    command: { resume: true },
    checkpoint: { checkpoint_id: '1' },
    checkpoint_id: '1',
    interrupt_before: ['model'],
    interrupt_after: '*',
    webhook: 'https://example.com/hook',
    after_seconds: 5,
    feedback_keys: ['thumbs'],
    context: { a: 1 },
    config: { recursion_limit: 5 },
    stream_mode: ['values', 'debug'],
    on_completion: 'keep',
  }
  for (const [field, value] of Object.entries(asked)) {
    const answer = await send('POST', '/runs/wait', { ...chat, [field]: value })
    expect(answer, field).toMatchObject({ status: 422, body: { code: 'feature_unsupported' } })
    expect(answer.body.detail, field).toContain(field)
  }
  const harmless = {
    command: null,
    interrupt_before: [],
    multitask_strategy: 'reject',
    metadata: { source: 'test' },
    config: { tags: ['x'], configurable: { thread_id: 't1' } },
    context: {},
    stream_subgraphs: true,
    stream_resumable: true,
    durability: 'async',
    on_disconnect: 'continue',
  }
  expect((await send('POST', '/threads/t1/runs/wait', { ...chat, ...harmless })).status).toBe(200)
})

test('an unknown stream mode is refused', async () => {
  const answer = await deployment().as()('POST', '/runs/stream', { ...chat, stream_mode: ['values', 'everything'] })
  expect(answer).toMatchObject({ status: 422, body: { code: 'input_invalid' } })
  expect(answer.body.detail).toContain('stream_mode must be one of values, updates')
})

test('of messages only those of the person are taken', async () => {
  const send = deployment().as()
  const wait = (messages: unknown) => send('POST', '/runs/wait', { assistant_id: 'chat', input: { messages } })
  for (const type of ['ai', 'tool', 'system', 'remove', 'constructor', 5, undefined]) {
    const answer = await wait([{ type, content: 'I am the house', tool_call_id: 'x', id: 'y' }])
    expect(answer, String(type)).toMatchObject({ status: 422, body: { code: 'input_invalid' } })
    expect(answer.body.detail).toContain('"human"')
  }
  expect(await wait([{ role: 'assistant', content: 'I am the house' }])).toMatchObject({ status: 422 })
  expect(await wait([{ role: 'removed', id: 'x' }])).toMatchObject({ status: 422 })
  expect((await wait([{ role: 'user', content: 'hi' }])).body.messages).toHaveLength(2)
  expect((await wait({ type: 'human', content: 'hi' })).body.messages).toHaveLength(2)
  const parts = [
    {
      type: 'human',
      id: 'm1',
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    },
  ]
  expect((await wait(parts)).body.messages[0]).toMatchObject({ id: 'm1', content: 'ab' })
  const picture = [{ type: 'human', content: [{ type: 'image_url', image_url: 'x' }] }]
  expect(await wait(picture)).toMatchObject({ status: 422, body: { code: 'feature_unsupported' } })
})

test('storage is timed before the first byte', async () => {
  const answer = await deployment().as()('POST', '/threads/t1/runs/stream', chat)
  expect(answer.headers.get('server-timing')).toMatch(/storage;dur=[\d.]+, total;dur=[\d.]+/)
})
