// Turns on a thread that remembers: what is answered, what is stored, and what goes on after a failure.
import { describe, expect, test } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { agent, append, assistant, last, messages, StateGraph, user } from '../../src/index.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { at, collected, typesOf } from './doubles.ts'

const log = { log: append<string>() }

/** Two nodes; `fail` is asked at each run of the second. */
const twoSteps = (fail: () => boolean = () => false, options = {}) => {
  const checkpointer = memoryCheckpointer()
  const second = () => {
    if (fail()) throw new Error('broken')
    return { log: 'second' }
  }
  const nodes = { first: () => ({ log: 'first' }), second }
  const app = new StateGraph({ state: log, nodes, edges: { start: 'first', first: 'second' } }).compile({
    ...{ checkpointer, ...options },
  })
  return { app, checkpointer }
}

const talking = () => {
  const model = scriptedModel((said) => `You said ${said.at(-1)?.content}`)
  return { app: agent().compile({ checkpointer: memoryCheckpointer(), model }), model }
}

describe('a thread', () => {
  test('remembers its turns, apart from others of other people and tenants', async () => {
    const { app } = talking()
    await app.invoke({ messages: user('one') }, at)
    const { messages: said } = await app.invoke({ messages: user('two') }, at)
    expect(said.map(({ content }) => content)).toEqual(['one', 'You said one', 'two', 'You said two'])
    expect((await app.invoke({ messages: user('x') }, { ...at, thread: 't-2' })).messages).toHaveLength(2)
    expect((await app.invoke({ messages: user('x') }, { ...at, tenant: 'other' })).messages).toHaveLength(2)
    await expect(app.invoke({ messages: user('x') }, { ...at, user: 'bob' })).rejects.toMatchObject({
      code: 'thread_unknown',
    })
    await expect(app.state({ ...at, user: 'bob' })).rejects.toMatchObject({ code: 'thread_unknown' })
    expect((await app.state({ ...at, user: null })).values.messages).toHaveLength(4)
  })

  test('gives each message an id of its own, which names run and place and is the same ever after', async () => {
    const { app } = talking()
    await app.invoke({ messages: [user('one'), { ...user('two'), id: 'mine' }] }, { ...at, run: 'run-1' })
    const { messages: said } = await app.invoke({ messages: user('three') }, { ...at, run: 'run-2' })
    const ids = said.map(({ id }) => id)
    expect(ids).toEqual(['run-1:0.1', 'mine', 'run-1:1:0:1.1.1', 'run-2:0.1', 'run-2:1:0:2.1.1'])
    expect((await app.state(at)).values.messages.map(({ id }) => id)).toEqual(ids)
  })

  test('has a history, newest first, in pages, from any checkpoint', async () => {
    const { app } = twoSteps()
    await app.invoke({ log: 'a' }, { ...at, run: 'run-1' })
    await app.invoke({ log: 'b' }, { ...at, run: 'run-2' })
    const all = await app.history(at)
    expect(all.map(({ checkpoint, parent, run, step, next }) => [checkpoint, parent, run, step, next])).toEqual([
      ['6', '5', 'run-2', 2, []],
      ['5', '4', 'run-2', 1, ['second']],
      ['4', '3', 'run-2', 0, ['first']],
      ['3', '2', 'run-1', 2, []],
      ['2', '1', 'run-1', 1, ['second']],
      ['1', undefined, 'run-1', 0, ['first']],
    ])
    expect(all[0]?.values.log).toEqual(['a', 'first', 'second', 'b', 'first', 'second'])
    expect(all[4]?.values.log).toEqual(['a', 'first'])
    expect(await app.history(at, { limit: 2 })).toEqual(all.slice(0, 2))
    expect(await app.history(at, { limit: 2, before: '5' })).toEqual(all.slice(2, 4))
    expect(await app.history(at, { from: '3' })).toEqual(all.slice(3))
    expect(await app.history(at, { before: '1' })).toEqual([])
    expect(await app.state(at)).toEqual(all[0])
    expect(await app.state(at, '2')).toEqual(all[4])
  })

  test.each(['0', '99', '-1', '1.5', 'x', '', '1; drop table', '99999999999999999999'])(
    'has no checkpoint %j, and says so',
    async (checkpoint) => {
      const { app } = twoSteps()
      await app.invoke({}, at)
      await expect(app.state(at, checkpoint)).rejects.toMatchObject({ code: 'checkpoint_unknown' })
    },
  )

  test('that nobody has used yet has the start values, if it exists', async () => {
    const { app, checkpointer } = twoSteps()
    await expect(app.state(at)).rejects.toMatchObject({ code: 'thread_unknown' })
    await checkpointer.threads.create({ tenant: at.tenant, thread: at.thread, owner: at.user }, {})
    expect(await app.state(at)).toMatchObject({ checkpoint: '0', values: { log: [] }, next: [] })
    expect(await app.history(at)).toEqual([])
  })

  test('that must exist is not made', async () => {
    const { app } = twoSteps()
    await expect(app.invoke({}, { ...at, createThread: false })).rejects.toMatchObject({ code: 'thread_unknown' })
    await expect(app.invoke(null, { ...at, createThread: false })).rejects.toMatchObject({ code: 'thread_unknown' })
  })

  test.each([
    [{ thread: 'a/b' }, 'id_invalid'],
    [{ thread: 'a\u0000b' }, 'id_invalid'],
    [{ thread: '' }, 'id_invalid'],
    [{ tenant: '' }, 'id_invalid'],
    [{ user: 'a\nb' }, 'id_invalid'],
    [{ run: '../x' }, 'id_invalid'],
    [{ key: 'a\u0000b' }, 'id_invalid'],
    [{ key: 'x'.repeat(1_000) }, 'id_invalid'],
    [{ key: '\ud83d' }, 'id_invalid'],
    [{ thread: undefined }, 'thread_missing'],
  ])('is not addressed by %j', async (change, code) => {
    const { app } = twoSteps()
    await expect(app.invoke({}, { ...at, ...change } as typeof at)).rejects.toMatchObject({ code })
  })

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1_000_001, '5'])(
    'has no history of %j states',
    async (limit) => {
      const { app } = twoSteps()
      await app.invoke({}, at)
      await expect(app.history(at, { limit: limit as number })).rejects.toMatchObject({ code: 'input_invalid' })
    },
  )

  test.each([{ thread: 'a\u0000b' }, { thread: '../x' }, { tenant: '\u0000' }, { user: '\ud83d' }])(
    'is not read at %j',
    async (change) => {
      const { app } = twoSteps()
      await expect(app.state({ ...at, ...change })).rejects.toMatchObject({ code: 'id_invalid' })
      await expect(app.history({ ...at, ...change })).rejects.toMatchObject({ code: 'id_invalid' })
    },
  )
})

describe('the same key', () => {
  test('answers without running again; another body under it is refused', async () => {
    let runs = 0
    const { app } = twoSteps(() => ++runs < 0)
    const first = await app.run({ log: 'a' }, { ...at, key: 'k' })
    await app.invoke({ log: 'b' }, at)
    expect(await app.run({ log: 'a' }, { ...at, key: 'k' })).toEqual(first)
    expect(runs).toBe(2)
    await expect(app.run({ log: 'other' }, { ...at, key: 'k' })).rejects.toMatchObject({ code: 'key_reused' })
    await expect(app.run({ log: 'a' }, { ...at, run: first.run })).rejects.toMatchObject({ code: 'key_reused' })
  })

  test('of a failed run tells the failure again', async () => {
    const { app } = twoSteps(() => true)
    await expect(app.run({}, { ...at, key: 'k' })).rejects.toMatchObject({ code: 'node_failed' })
    await expect(app.run({}, { ...at, key: 'k' })).rejects.toMatchObject({
      ...{ code: 'run_failed', details: { code: 'node_failed', status: 'error' } },
    })
  })
})

describe('a run that failed', () => {
  test('keeps the input and what was committed, and the next turn works', async () => {
    let broken = true
    const { app, checkpointer } = twoSteps(() => broken)
    const failed = await collected(app.stream({ log: 'a' }, { ...at, run: 'run-1' }))
    expect(failed.error).toMatchObject({ code: 'node_failed' })
    expect(typesOf(failed.events)).toEqual(['run-started', 'checkpoint-saved', 'checkpoint-saved', 'run-failed'])
    expect(await app.state(at)).toMatchObject({ values: { log: ['a', 'first'] }, next: ['second'] })
    const key = { tenant: at.tenant, thread: at.thread, owner: at.user }
    expect(await checkpointer.runs.get(key, 'run-1')).toMatchObject({ status: 'error', error: { code: 'node_failed' } })
    expect(await checkpointer.threads.get(key)).toMatchObject({ status: 'error' })
    broken = false
    expect((await app.invoke({ log: 'b' }, at)).log).toEqual(['a', 'first', 'b', 'first', 'second'])
    expect(await checkpointer.threads.get(key)).toMatchObject({ status: 'idle' })
  })

  test('in its first superstep keeps the input too', async () => {
    const boom = () => {
      throw new Error('x')
    }
    const app = new StateGraph({ state: log, nodes: { boom }, edges: { start: 'boom' } }).compile({
      ...{ checkpointer: memoryCheckpointer() },
    })
    await expect(app.invoke({ log: 'kept' }, at)).rejects.toMatchObject({ code: 'node_failed' })
    expect(await app.state(at)).toMatchObject({ values: { log: ['kept'] }, next: ['boom'], step: 0 })
  })

  test('goes on where it stopped with null as input', async () => {
    let broken = true
    const { app } = twoSteps(() => broken)
    await expect(app.invoke({ log: 'a' }, at)).rejects.toThrow()
    await expect(app.invoke(null, at)).rejects.toMatchObject({ code: 'node_failed' })
    broken = false
    expect((await app.invoke(null, at)).log).toEqual(['a', 'first', 'second'])
    expect((await app.invoke(null, at)).log).toEqual(['a', 'first', 'second'])
  })

  test('for a model that was cut off keeps nothing of its answer', async () => {
    let cutOff = true
    const model = scriptedModel(() => ({ text: 'half of an ans', cutOff }))
    const app = agent().compile({ checkpointer: memoryCheckpointer(), model })
    const { events, error } = await collected(app.stream({ messages: user('Hi') }, at))
    expect(error).toMatchObject({ code: 'model_failed', retryable: true })
    expect(typesOf(events).filter((type) => type === 'text-delta')).toHaveLength(4)
    expect(typesOf(events).at(-1)).toBe('run-failed')
    expect((await app.state(at)).values.messages).toMatchObject([{ content: 'Hi' }])
    cutOff = false
    expect((await app.invoke(null, at)).messages.at(-1)).toMatchObject({ content: 'half of an ans' })
  })

  test('for state that cannot be saved names the channel and the path', async () => {
    const state = { items: append<unknown>(), one: last<unknown>() }
    const nodes = { a: () => ({ items: [1, { run: () => 1 }] }) }
    const app = new StateGraph({ state, nodes, edges: { start: 'a' } }).compile({ checkpointer: memoryCheckpointer() })
    await expect(app.invoke({ items: ['kept'] }, at)).rejects.toMatchObject({
      ...{ code: 'state_unserializable', message: expect.stringMatching(/: items\.2\.run is a function/) },
    })
    await expect(app.invoke({ one: Symbol('x') }, at)).rejects.toMatchObject({ code: 'input_invalid' })
    expect((await app.state(at)).values).toMatchObject({ items: ['kept'] })
  })
})

describe('a run that is cancelled', () => {
  test('ends as cancelled in the thread, which is usable at once', async () => {
    const aborting = new AbortController()
    const checkpointer = memoryCheckpointer()
    const hang = () => new Promise<undefined>(() => queueMicrotask(() => aborting.abort()))
    const app = new StateGraph({ state: log, nodes: { hang }, edges: { start: 'hang' } }).compile({ checkpointer })
    await expect(app.invoke({ log: 'kept' }, { ...at, run: 'r', signal: aborting.signal })).rejects.toMatchObject({
      ...{ code: 'run_cancelled' },
    })
    const key = { tenant: at.tenant, thread: at.thread, owner: at.user }
    expect(await checkpointer.runs.get(key, 'r')).toMatchObject({ status: 'cancelled' })
    expect(await checkpointer.threads.get(key)).toMatchObject({ status: 'idle' })
    expect((await app.state(at)).values.log).toEqual(['kept'])
  })
})

describe('what a graph was not given', () => {
  test('is said with the way out', async () => {
    const asks = new StateGraph({
      state: { messages: messages() },
      nodes: { ask: async (state, { model }) => ({ messages: await model.reply(state.messages) }) },
      edges: { start: 'ask' },
    })
    await expect(asks.compile().invoke({})).rejects.toMatchObject({
      ...{ code: 'model_missing', message: expect.stringMatching(/Node "ask".*compile\(\{ model/) },
    })
    expect(() => agent().compile()).toThrow(/Node "model" needs a model: compile\(\{ model/)
    const bare = asks.compile({ model: scriptedModel(() => 'Hi') })
    await expect(bare.invoke({}, at)).rejects.toMatchObject({ code: 'checkpointer_missing' })
    await expect(bare.state(at)).rejects.toMatchObject({ code: 'checkpointer_missing' })
    expect((await bare.invoke({ messages: assistant('x') })).messages).toHaveLength(2)
  })
})
