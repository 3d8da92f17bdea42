// Speculation: the first superstep on the cached state while the claim is awaited, kept only when it was right.
import { describe, expect, test } from 'vitest'
import { memoryCache, memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { agent, last, type RunEvent, StateGraph, user } from '../../src/index.ts'
import type { Cache } from '../../src/ports/index.ts'
import { type Script, scriptedModel } from '../../src/testing/index.ts'
import { altered, at } from './doubles.ts'

const reply: Script = (messages) => `reply to ${messages.filter(({ role }) => role === 'user').length}`

/** A thread of one turn, cached; from then on claims are answered only when `answer` is called. */
async function warmThread(script: Script = reply, options: { speculate?: boolean } = {}) {
  const inner = memoryCheckpointer()
  const cache = memoryCache()
  const model = scriptedModel(script)
  const gate = { hold: Promise.resolve(), answer: () => {} }
  const checkpointer = altered(inner, {
    beginTurn: async (begin) => {
      await gate.hold
      return inner.beginTurn(begin)
    },
  })
  const app = agent().compile({ checkpointer, cache, model, ...options })
  await app.invoke({ messages: [user('one')] }, at)
  const hold = () => {
    const waiting = Promise.withResolvers<void>()
    gate.hold = waiting.promise
    gate.answer = waiting.resolve
  }
  return { app, model, cache, inner, hold, answer: () => gate.answer() }
}

function watched(app: Awaited<ReturnType<typeof warmThread>>['app'], text = 'two', thread = at.thread) {
  const events: RunEvent[] = []
  const run = app.invoke({ messages: [user(text)] }, { ...at, thread, emit: (event) => events.push(event) })
  run.catch(() => {})
  return { run, events, types: () => events.map(({ type }) => type) }
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 20))

async function lie(cache: Cache, change: { seq?: number; hash?: string }) {
  const [state] = await cache.read({ tenant: at.tenant, thread: at.thread, owner: at.user })
  if (state !== undefined)
    await cache.replace({ tenant: at.tenant, thread: at.thread, owner: at.user }, { ...state, ...change })
}

describe('on a cached thread', () => {
  test('the model is asked before the claim is answered, and nothing is told before', async () => {
    const { app, model, hold, answer } = await warmThread()
    hold()
    const { run, events, types } = watched(app)
    await soon()
    expect(model.requests).toHaveLength(2)
    expect(events).toEqual([])
    answer()
    const { messages } = await run
    expect(messages.map(({ content }) => content)).toEqual(['one', 'reply to 1', 'two', 'reply to 2'])
    expect(model.requests).toHaveLength(2)
    expect(types().slice(0, 2)).toEqual(['run-started', 'reply-started'])
    expect(events[0]).toMatchObject({ speculation: 'kept' })
  })

  test('ids are as without it: they have the epoch of the claim', async () => {
    const { app } = await warmThread()
    const { run, events } = watched(app)
    const { messages } = await run
    const started = events.find((event) => event.type === 'reply-started')
    expect(messages.at(-1)?.id).toBe(started?.type === 'reply-started' && started.messageId)
    expect(messages.at(-1)?.id).toMatch(/:1:0:2\.1\.1$/)
  })

  test.each([
    ['behind', { seq: 1, hash: 'old' }],
    ['of the same number and another hash', { hash: 'other' }],
    ['ahead', { seq: 99, hash: 'new' }],
  ])(
    'a guess on a state that is %s is thrown away, its call aborted, and the answer is right',
    async (_what, change) => {
      const { app, model, cache, hold, answer } = await warmThread()
      await lie(cache, change)
      hold()
      const { run, events } = watched(app)
      await soon()
      expect(model.requests).toHaveLength(2)
      answer()
      expect((await run).messages.map(({ content }) => content)).toEqual(['one', 'reply to 1', 'two', 'reply to 2'])
      expect(model.requests).toHaveLength(3)
      expect(model.requests[1]?.signal.aborted).toBe(true)
      expect(events[0]).toMatchObject({ type: 'run-started', speculation: 'dropped' })
      expect(events.filter(({ type }) => type === 'reply-started')).toHaveLength(1)
    },
  )

  test('T7 what a node that runs ahead emits is told when its guess was right, and by nobody when it was wrong', async () => {
    const graph = new StateGraph({
      state: { count: last(0) },
      nodes: { pure: { pure: true, run: ({ count }, { emit }) => emit('seen', count) } },
      edges: { start: 'pure' },
    })
    const cache = memoryCache()
    const inner = memoryCheckpointer()
    await graph.compile({ checkpointer: inner, cache }).invoke({ count: 1 }, at)
    const seen = (events: readonly RunEvent[]) => events.filter(({ type }) => type === 'custom-emitted')
    for (const right of [true, false]) {
      if (!right) await lie(cache, { hash: 'other' })
      const waiting = Promise.withResolvers<void>()
      const checkpointer = altered(inner, { beginTurn: (begin) => waiting.promise.then(() => inner.beginTurn(begin)) })
      const events: RunEvent[] = []
      const app = graph.compile({ checkpointer, cache })
      const run = app.invoke({ count: 2 }, { ...at, emit: (event) => events.push(event) })
      await soon()
      expect(events).toEqual([])
      waiting.resolve()
      await run
      expect(events[0]).toMatchObject({ type: 'run-started', speculation: right ? 'kept' : 'dropped' })
      expect(seen(events)).toMatchObject([{ name: 'seen', data: 2 }])
    }
  })

  test('a guess is thrown away when an older run comes first, and each gets the answer to its own message', async () => {
    const { app, inner } = await warmThread((messages) => `reply to ${messages.at(-1)?.content}`)
    const gone = agent().compile({
      model: scriptedModel(() => new Promise<string>(() => {})),
      checkpointer: altered(inner, { renewLease: () => new Promise(() => {}) }),
      leaseMs: 1,
    })
    void gone.invoke({ messages: [user('orphan')] }, { ...at, run: 'orphan' })
    await soon()
    const { run, events } = watched(app)
    const { messages } = await run
    expect(messages.slice(2).map(({ content }) => content)).toEqual([
      ...['orphan', 'reply to orphan', 'two', 'reply to two'],
    ])
    expect(events.filter(({ type }) => type === 'run-started')).toHaveLength(1)
  })

  test('a guess that fails is the run’s failure when it was right, and nothing when it was wrong', async () => {
    let calls = 0
    const failing: Script = () => {
      calls++
      return calls === 2 ? { failure: new Error('down') } : 'fine'
    }
    const right = await warmThread(failing)
    await expect(watched(right.app).run).rejects.toMatchObject({ code: 'node_failed' })

    calls = 0
    const wrong = await warmThread(failing)
    await lie(wrong.cache, { hash: 'other' })
    expect((await watched(wrong.app).run).messages.at(-1)?.content).toBe('fine')
  })

  test('a refused turn drops its guess', async () => {
    const { app, model, inner } = await warmThread()
    const begin = {
      ...at,
      owner: at.user,
      createThread: false,
      graph: 'default',
      token: 't',
      leaseMs: 60_000,
      threadTtlMs: null,
      inlineBytes: 0,
      maxAttempts: 5,
    }
    await inner.beginTurn({ ...begin, run: { run: 'r', key: 'r', bodyHash: 'b', input: '{}', strategy: 'reject' } })
    await expect(watched(app).run).rejects.toMatchObject({ code: 'thread_busy' })
    expect(model.requests[1]?.signal.aborted).toBe(true)
  })

  test('the same key again is answered without a second answer of the model', async () => {
    const { app, model } = await warmThread()
    const again = () => app.invoke({ messages: [user('two')] }, { ...at, key: 'k' })
    const first = await again()
    expect(await again()).toEqual(first)
    expect(first.messages).toHaveLength(4)
    expect(model.requests.at(-1)?.signal.aborted).toBe(true)
  })
})

describe('nothing runs ahead', () => {
  test('when it is turned off', async () => {
    const { app, model, hold, answer } = await warmThread(reply, { speculate: false })
    hold()
    const { run, events } = watched(app)
    await soon()
    expect(model.requests).toHaveLength(1)
    answer()
    await run
    expect(events[0]).toMatchObject({ speculation: 'none' })
  })

  test('of a thread that is not cached', async () => {
    const { app, model, hold, answer } = await warmThread()
    hold()
    const { run } = watched(app, 'hello', 'another')
    await soon()
    expect(model.requests).toHaveLength(1)
    answer()
    await run
  })

  test('when a node that is due is not pure', async () => {
    const ran: string[] = []
    const graph = new StateGraph({
      state: { count: last(0) },
      nodes: {
        pure: { pure: true, run: () => void ran.push('pure') },
        effectful: () => void ran.push('effectful'),
      },
      edges: { start: ['pure', 'effectful'] },
    })
    const cache = memoryCache()
    const checkpointer = memoryCheckpointer()
    const app = graph.compile({ checkpointer, cache })
    await app.invoke({ count: 1 }, at)
    const slow = altered(checkpointer, { beginTurn: () => new Promise(() => {}) })
    ran.length = 0
    void graph.compile({ checkpointer: slow, cache }).invoke({ count: 2 }, at)
    await soon()
    expect(ran).toEqual([])
  })
})
