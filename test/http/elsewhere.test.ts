// Two isolates on one database and one event log: what a reader, a canceller or a joiner reaches from the other one.
import { expect, test, vi } from 'vitest'
import { memoryCheckpointer, memoryEventLog } from '../../src/adapters/memory/index.ts'
import { serve } from '../../src/http/index.ts'
import { append, last, messages, StateGraph } from '../../src/index.ts'
import { altered, unavailable } from '../runtime/doubles.ts'
import { until } from '../until.ts'
import { chatApp, PromptedModel, tokenOf } from './chat-app.ts'
import { framesOf, said, tokenFor } from './deployment.ts'

const secret = 'a secret of tests, thirty-two bytes'

/** `first`, then `wait`, which tells of itself and waits for `open`; each run of a node is counted. */
function isolate(
  shared: { checkpointer: ReturnType<typeof memoryCheckpointer>; leaseMs?: number },
  events = memoryEventLog(),
) {
  const gate = Promise.withResolvers<void>()
  const calls: string[] = []
  const graph = new StateGraph({
    state: { messages: messages(), log: append<string>(), noted: last('') },
    nodes: {
      first: () => {
        calls.push('first')
        return { log: 'first' }
      },
      wait: {
        timeoutMs: 600_000,
        run: async (_state, context) => {
          calls.push('wait')
          context.emit('progress', { percent: 50 })
          await gate.promise
          return { log: 'wait', noted: 'done' }
        },
      },
    },
    edges: { start: 'first', first: 'wait' },
  })
  const graphs = { waits: graph.compile({ ...shared, events, name: 'waits' }) }
  const app = serve({ graphs, checkpointer: shared.checkpointer, events, auth: { secret } })
  const send = async (
    method: string,
    path: string,
    { body, headers = {}, context }: { body?: unknown; headers?: Record<string, string>; context?: object } = {},
  ) => {
    const init = {
      method,
      headers: { authorization: `Bearer ${await tokenFor()}`, 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }
    return await app.request(path, init, {}, context as never)
  }
  return { app, send, calls, open: gate.resolve, graph: graphs.waits }
}

const wish = { assistant_id: 'waits', input: said('hello'), if_not_exists: 'create', stream_mode: ['values', 'custom'] }
const streamPath = (run: string) => `/threads/t1/runs/${run}/stream?stream_mode=values,custom`
const eventsIn = (text: string) => framesOf(text).map(({ event }) => event)

function pair() {
  const checkpointer = memoryCheckpointer()
  const events = memoryEventLog()
  return { here: isolate({ checkpointer }, events), elsewhere: isolate({ checkpointer }, events), checkpointer, events }
}

async function begun(here: ReturnType<typeof isolate>, body: object = {}, context?: object) {
  const response = await here.send('POST', '/threads/t1/runs/stream', {
    body: { ...wish, ...body },
    ...(context && { context }),
  })
  const run = response.headers.get('content-location')?.split('/').at(-1) ?? ''
  await until(() => expect(here.calls).toContain('wait'))
  return { response, run }
}

test('a run in the background is watched from another isolate, from its first event to its last', async () => {
  const { here, elsewhere } = pair()
  const answer = await here.send('POST', '/threads/t1/runs', { body: wish })
  const { run_id: run } = (await answer.json()) as { run_id: string }
  const watching = elsewhere.send('GET', streamPath(run)).then((response) => response.text())
  await until(() => expect(here.calls).toContain('wait'))
  setTimeout(here.open, 700)
  const text = await watching
  expect(eventsIn(text)).toEqual(['metadata', 'values', 'values', 'custom', 'values'])
  expect(framesOf(text).map(({ id }) => id)).toEqual(['0-0', '1-0', '1-1', '1-2', '1-3'])
  expect(framesOf(text).at(-1)?.data).toMatchObject({ log: ['first', 'wait'], noted: 'done' })
})

test('the same frames are told here and elsewhere, and a reader who comes back gets those that it has not seen', async () => {
  const { here, elsewhere } = pair()
  const { response, run } = await begun(here, { stream_resumable: true })
  here.open()
  const whole = framesOf(await response.text())
  expect(whole).toHaveLength(5)
  for (const [index, { id }] of whole.entries()) {
    const again = await elsewhere.send('GET', streamPath(run), { headers: { 'last-event-id': id } })
    expect(framesOf(await again.text())).toEqual(whole.slice(index + 1))
  }
  for (const id of ['-1', '', 'x', '17']) {
    const again = await elsewhere.send('GET', streamPath(run), { headers: { 'last-event-id': id } })
    expect(framesOf(await again.text())).toEqual(whole)
  }
})

test('of a run whose reader stays nothing is recorded; once they have left all of it is', async () => {
  const { here, elsewhere, events } = pair()
  const key = { tenant: 'acme', thread: 't1', owner: 'alex' }
  const { response, run } = await begun(here)
  const reader = response.body?.getReader()
  await reader?.read()
  await new Promise((resolve) => setTimeout(resolve, 700))
  expect(await events.read(key)).toEqual([])
  await reader?.cancel()
  await until(async () => expect(await events.read(key)).not.toEqual([]))
  const watching = elsewhere.send('GET', streamPath(run)).then((watched) => watched.text())
  here.open()
  expect(eventsIn(await watching)).toEqual(['metadata', 'values', 'values', 'custom', 'values'])
})

test('a run is joined from another isolate, at work or in line', async () => {
  const { here, elsewhere } = pair()
  const first = begun(here)
  const { run } = await first
  const second = here.send('POST', '/threads/t1/runs', { body: { ...wish, multitask_strategy: 'enqueue' } })
  const { run_id: queued } = (await (await second).json()) as { run_id: string }
  const joins = [run, queued].map(async (id) => (await elsewhere.send('GET', `/threads/t1/runs/${id}/join`)).json())
  here.open()
  expect(await Promise.all(joins)).toMatchObject([
    { log: ['first', 'wait'] },
    { log: ['first', 'wait', 'first', 'wait'] },
  ])
})

test('a run is cancelled from another isolate, at work or in line', async () => {
  const { here, elsewhere, checkpointer } = pair()
  const { run } = await begun(here)
  const second = await here.send('POST', '/threads/t1/runs', { body: { ...wish, multitask_strategy: 'enqueue' } })
  const { run_id: queued } = (await second.json()) as { run_id: string }
  for (const id of [queued, run, run]) {
    expect((await elsewhere.send('POST', `/threads/t1/runs/${id}/cancel?wait=1`)).status).toBe(204)
  }
  const key = { tenant: 'acme', thread: 't1', owner: 'alex' }
  const statuses = await Promise.all([run, queued].map(async (id) => (await checkpointer.runs.get(key, id))?.status))
  expect(statuses).toEqual(['cancelled', 'cancelled'])
  expect(await checkpointer.threads.get(key)).toMatchObject({ status: 'idle' })
  here.open()
  expect((await elsewhere.graph.state({ tenant: 'acme', user: 'alex', thread: 't1' })).values.log).toEqual(['first'])
  expect((await elsewhere.send('POST', '/threads/t1/runs/none/cancel')).status).toBe(404)
})

test('a run that its worker has left behind is gone on with by whoever watches it: what was committed is not told twice', async () => {
  const inner = memoryCheckpointer()
  const events = memoryEventLog()
  let commits = 0
  const gone = altered(inner, {
    commitStep: (step) => (++commits > 1 ? Promise.reject(unavailable()) : inner.commitStep(step)),
    renewLease: () => Promise.reject(unavailable()),
    abandonTurn: () => Promise.reject(unavailable()),
  })
  const here = isolate({ checkpointer: gone, leaseMs: 800 }, events)
  const elsewhere = isolate({ checkpointer: inner, leaseMs: 800 }, events)
  const { run } = await begun(here, { stream_resumable: true })
  // What the first worker has told is kept a moment later: if its lease ends before that, nobody hears it.
  const key = { tenant: 'acme', thread: 't1', owner: 'alex' }
  await until(async () => expect(JSON.stringify(await events.read(key))).toContain('progress'))
  elsewhere.open()
  const watching = await elsewhere.send('GET', streamPath(run))
  const text = await watching.text()
  expect(elsewhere.calls).toEqual(['wait'])
  expect(eventsIn(text)).toEqual(['metadata', 'values', 'values', 'custom', 'custom', 'values'])
  expect(framesOf(text).map(({ id }) => id)).toEqual(['0-0', '1-0', '1-1', '1-2', '2-0', '2-1'])
  expect(framesOf(text).at(-1)?.data).toMatchObject({ log: ['first', 'wait'] })

  // Whoever comes later hears the second claim, and before it what the first one had committed.
  const later = await (await elsewhere.send('GET', streamPath(run))).text()
  expect(eventsIn(later)).toEqual(['metadata', 'values', 'values', 'custom', 'values'])
  const seen = await elsewhere.send('GET', streamPath(run), { headers: { 'last-event-id': '1-2' } })
  expect(framesOf(await seen.text()).map(({ id }) => id)).toEqual(['2-0', '2-1', '2-2', '2-3'])
})

test('a thread that is deleted leaves no events behind', async () => {
  const { here, events } = pair()
  const { response } = await begun(here, { stream_resumable: true })
  here.open()
  await response.text()
  const key = { tenant: 'acme', thread: 't1', owner: 'alex' }
  await until(async () => expect(await events.read(key)).not.toEqual([]))
  expect((await here.send('DELETE', '/threads/t1')).status).toBe(204)
  expect(await events.read(key)).toEqual([])
})

test('another user’s run cannot be watched, joined or cancelled', async () => {
  const { here, elsewhere } = pair()
  const { run, response } = await begun(here)
  const headers = { authorization: `Bearer ${await tokenFor({ sub: 'eve' })}` }
  for (const [method, path] of [
    ['GET', streamPath(run)],
    ['GET', `/threads/t1/runs/${run}/join`],
    ['POST', `/threads/t1/runs/${run}/cancel`],
  ] as const) {
    expect((await elsewhere.send(method, path, { headers })).status).toBe(404)
  }
  here.open()
  expect(eventsIn(await response.text()).at(-1)).toBe('values')
})

test('in a Worker a turn is handed over 25 s after its reader has left, and not while they read', async () => {
  vi.useFakeTimers()
  try {
    const { here, elsewhere, checkpointer } = pair()
    const kept: Promise<unknown>[] = []
    const context = {
      waitUntil: (work: Promise<unknown>) => kept.push(work),
      passThroughOnException: () => {},
      props: {},
    }
    const { response, run } = await begun(here, {}, context)
    const key = { tenant: 'acme', thread: 't1', owner: 'alex' }
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await checkpointer.runs.get(key, run)).toMatchObject({ status: 'running', orphaned: false })
    await response.body?.cancel()
    await vi.advanceTimersByTimeAsync(24_900)
    expect(await checkpointer.runs.get(key, run)).toMatchObject({ orphaned: false })
    await vi.advanceTimersByTimeAsync(200)
    expect(await checkpointer.runs.get(key, run)).toMatchObject({ status: 'running', orphaned: true, attempts: 0 })
    await Promise.all(kept)
    elsewhere.open()
    const joined = elsewhere.send('GET', `/threads/t1/runs/${run}/join`).then((answer) => answer.json())
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await joined).toMatchObject({ log: ['first', 'wait'] })
    expect(elsewhere.calls).toEqual(['wait'])
  } finally {
    vi.useRealTimers()
  }
})

test('a reader who waits for a turn that its worker handed over hears the rest of it from the next', async () => {
  vi.useFakeTimers()
  try {
    const { here, elsewhere } = pair()
    const context = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} }
    const { response, run } = await begun(here, {}, context)
    // Another request, in the same isolate: it has not left.
    const second = (await here.send('GET', streamPath(run))).text()
    await response.body?.cancel()
    await vi.advanceTimersByTimeAsync(25_100)
    elsewhere.open()
    here.open()
    await vi.advanceTimersByTimeAsync(5_000)
    const text = await second
    expect(eventsIn(text)).toEqual(['metadata', 'values', 'values', 'custom', 'custom', 'values'])
    expect(framesOf(text).at(-1)?.data).toMatchObject({ log: ['first', 'wait'] })
  } finally {
    vi.useRealTimers()
  }
})

test('chat: an answer that is given in another isolate is heard, and stopped, from here', async () => {
  const checkpointer = memoryCheckpointer()
  const events = memoryEventLog()
  const model = new PromptedModel()
  const here = chatApp({ model, checkpointer, events }).app
  const elsewhere = chatApp({ model: new PromptedModel(), checkpointer, events }).app
  const call = async (app: typeof here, path: string, body?: unknown) =>
    await app.fetch(
      new Request(`http://chat${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${await tokenOf('alex')}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    )
  const saying = (id: string) => ({ id: 't', messages: [{ id, role: 'user', parts: [{ type: 'text', text: 'hi' }] }] })
  const first = await call(here, '/chat', saying('m1'))
  model.say('Once ', 'upon ')
  await first.body?.cancel()
  const heard = await call(elsewhere, '/chat/t/stream')
  expect(heard.status).toBe(200)
  setTimeout(() => {
    model.say('a time')
    model.finish()
  }, 700)
  const text = await heard.text()
  expect([...text.matchAll(/"delta":"([^"]*)"/g)].map(([, delta]) => delta).join('')).toBe('Once upon a time')
  expect(text.match(/"type":"start"/g)).toHaveLength(1)
  expect(text).toContain('"type":"finish"')
  expect((await call(elsewhere, '/chat/t/stream')).status).toBe(204)

  const second = await call(here, '/chat', saying('m2'))
  const waiting = call(here, '/chat', saying('m3'))
  model.say('Never ')
  await until(async () =>
    expect(
      await checkpointer.runs.list({ tenant: 'acme', thread: 't', owner: 'alex' }, { limit: 9, offset: 0 }),
    ).toHaveLength(3),
  )
  expect((await call(elsewhere, '/chat/t/stop', {})).status).toBe(204)
  model.finish()
  expect(await second.text()).toContain('"type":"abort"')
  expect(await (await waiting).text()).toMatch(/"type":"(abort|error)"/)
  const shown = (await (await call(elsewhere, '/chat/t/messages')).json()) as { id: string }[]
  expect(shown.map(({ id }) => id)).toContain('m2')
  expect(shown.map(({ id }) => id)).not.toContain('m3')
})
