// A second run on a busy thread, to its end: in line, in the place of the other, or as if the other had never been. The clock is moved by hand.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { memoryCache, memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { agent, append, type RunEvent, StateGraph, sweep, user } from '../../src/index.ts'
import type { Cache } from '../../src/ports/cache.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { altered, at, collected, deferred, passing, settled, typesOf } from './doubles.ts'

const key = { tenant: at.tenant, thread: at.thread, owner: at.user }

/** An agent whose model takes a second, and a while longer for what is `held`. */
function talking(checkpointer: Checkpointer = memoryCheckpointer(), cache?: Cache) {
  const held = deferred()
  const model = scriptedModel(async (said) => {
    const asked = said.at(-1)?.content
    if (asked === 'hold') await held.promise
    await passing(1_000)
    return `You said ${asked}`
  })
  const app = agent().compile({ checkpointer, model, leaseMs: 600_000, ...(cache && { cache }) })
  const ask = (text: string, strategy?: 'enqueue' | 'interrupt' | 'rollback', options: object = {}) =>
    app.run({ messages: user(text) }, { ...at, run: text, ...(strategy && { strategy }), ...options })
  const said = async () => (await app.state(at)).values.messages.map(({ content }) => content)
  return { app, checkpointer, model, ask, said, release: () => held.resolve() }
}

const answerOf = ({ values }: { values: { messages: readonly { content: unknown }[] } }) =>
  values.messages.at(-1)?.content

/** Two supersteps; the second waits for `gate`, if the run's input is `slow`. */
function twoSteps() {
  const gate = deferred()
  const nodes = {
    first: () => ({ log: 'first' }),
    second: {
      timeoutMs: 600_000,
      run: async ({ log }: { log: readonly string[] }) => {
        if (log.at(-2) === 'slow') await gate.promise
        return { log: 'second' }
      },
    },
  }
  const checkpointer = memoryCheckpointer()
  const cache = memoryCache()
  const app = new StateGraph({
    state: { log: append<string>() },
    nodes,
    edges: { start: 'first', first: 'second' },
  }).compile({ checkpointer, cache, leaseMs: 600_000 })
  return { app, checkpointer, gate }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('20 turns at once that wait are each in the thread, in the order they came in, and answered as they asked', async () => {
  const { ask, said, model } = talking()
  const turns = Array.from({ length: 20 }, (_, number) => `turn-${number}`)
  const { value: results, error } = await settled(Promise.all(turns.map((text) => ask(text, 'enqueue'))))
  expect(error).toBeUndefined()
  expect(results?.map(answerOf)).toEqual(turns.map((text) => `You said ${text}`))
  expect(results?.map(({ run }) => run)).toEqual(turns)
  expect(await said()).toEqual(turns.flatMap((text) => [text, `You said ${text}`]))
  expect(model.requests).toHaveLength(20)
})

test('a turn that waits says so once, then tells its own events', async () => {
  const { app, ask } = talking()
  const first = ask('one')
  const input = { messages: user('two') }
  const second = collected(app.stream(input, { ...at, run: 'second', strategy: 'enqueue' }))
  const { value } = await settled(second)
  await first
  expect(value?.events[0]).toEqual({ type: 'run-queued', run: 'second', ahead: 1 })
  expect(typesOf(value?.events ?? []).filter((type) => type.startsWith('run-'))).toEqual([
    ...['run-queued', 'run-started', 'run-finished'],
  ])
})

test('the same key twice at once is one run with one answer', async () => {
  const { ask, model } = talking()
  const both = [ask('one', 'enqueue', { key: 'k', run: 'x' }), ask('one', 'enqueue', { key: 'k', run: 'y' })]
  const { value } = await settled(Promise.all(both))
  expect(value?.[0]).toMatchObject({ run: 'x' })
  expect(value?.[1]).toEqual(value?.[0])
  expect(model.requests).toHaveLength(1)
})

test('a caller that cancels in line takes its run out of it', async () => {
  const { ask, said, checkpointer, release } = talking()
  const first = ask('hold')
  const cancelling = new AbortController()
  const second = ask('two', 'enqueue', { signal: cancelling.signal })
  const third = ask('three', 'enqueue')
  await vi.advanceTimersByTimeAsync(1_000)
  cancelling.abort()
  await expect(second).rejects.toMatchObject({ code: 'run_cancelled' })
  expect(await checkpointer.runs.get(key, 'two')).toMatchObject({ status: 'cancelled' })
  release()
  await settled(third)
  await first
  expect(await said()).toEqual(['hold', 'three'].flatMap((text) => [text, `You said ${text}`]))
})

test('a caller whose worker has to go leaves its run in line: the next in line runs it first', async () => {
  const { ask, said, checkpointer, release } = talking()
  const first = ask('hold')
  const leaving = new AbortController()
  const second = ask('two', 'enqueue', { handOver: leaving.signal })
  const third = ask('three', 'enqueue')
  await vi.advanceTimersByTimeAsync(1_000)
  leaving.abort()
  await expect(second).rejects.toMatchObject({ code: 'run_queued' })
  expect(await checkpointer.runs.get(key, 'two')).toMatchObject({ status: 'queued' })
  release()
  expect(answerOf((await settled(third)).value ?? expect.unreachable())).toBe('You said three')
  expect(answerOf(await first)).toBe('You said hold')
  expect(await said()).toEqual(['hold', 'two', 'three'].flatMap((text) => [text, `You said ${text}`]))
})

test('whoever watches a turn that somebody else has run for it is told how it ended', async () => {
  const { ask, release } = talking()
  const events: RunEvent[] = []
  const first = ask('hold')
  const same = ask('hold', 'enqueue', { emit: (event: RunEvent) => events.push(event) })
  await vi.advanceTimersByTimeAsync(1_000)
  release()
  expect(answerOf((await settled(same)).value ?? expect.unreachable())).toBe('You said hold')
  expect(answerOf(await first)).toBe('You said hold')
  expect(typesOf(events)).toEqual(['run-queued', 'run-finished'])
})

test('a caller that leaves while it is still being put in line does not wait for its first look', async () => {
  const inner = memoryCheckpointer()
  const leaving = new AbortController()
  const { ask } = talking(
    altered(inner, {
      beginTurn: async (begin) => {
        const claim = await inner.beginTurn(begin)
        if (claim.outcome === 'queued') leaving.abort()
        return claim
      },
    }),
  )
  const first = ask('one')
  const second = ask('two', 'enqueue', { signal: leaving.signal })
  const outcome = second.catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(1)
  expect(await Promise.race([outcome, Promise.resolve('waits')])).toMatchObject({ code: 'run_cancelled' })
  await settled(first)
})

test('after two minutes a turn is told that it is kept in line, and somebody runs it later', async () => {
  const { app, checkpointer, gate } = twoSteps()
  const first = app.invoke({ log: 'slow' }, at)
  const second = await settled(app.invoke({ log: 'b' }, { ...at, run: 'second', strategy: 'enqueue' }))
  expect(second.error).toMatchObject({ code: 'run_queued', details: { run: 'second', ahead: 1 } })
  gate.resolve()
  await settled(first)
  expect(await settled(sweep({ checkpointer, graphs: { default: app } }))).toMatchObject({
    value: { runs: { found: 0 } },
  })
  await vi.advanceTimersByTimeAsync(5_500)
  expect(await settled(sweep({ checkpointer, graphs: { default: app } }))).toMatchObject({
    value: { runs: { found: 1, finished: 1 } },
  })
  expect((await app.state(at)).values.log).toEqual(['slow', 'first', 'second', 'b', 'first', 'second'])
})

test('of two at once the second interrupts the first: both messages, one answer, one stream that fails', async () => {
  const { app, said } = talking()
  const stream = (text: string) =>
    collected(app.stream({ messages: user(text) }, { ...at, run: text, strategy: 'interrupt' }))
  const { value } = await settled(Promise.all([stream('one'), stream('two')]))
  const [first, second] = value ?? expect.unreachable()
  expect(first.events.at(-1)).toMatchObject({ type: 'run-failed', error: { code: 'run_fenced' } })
  expect(typesOf(first.events)).not.toContain('run-finished')
  expect(typesOf(first.events)).not.toContain('checkpoint-saved')
  expect(second.events.at(-1)).toMatchObject({ type: 'run-finished', run: 'two' })
  expect(await said()).toEqual(['one', 'two', 'You said two'])
  const ids = (await app.state(at)).values.messages.map(({ id }) => id)
  expect(new Set(ids).size).toBe(3)
})

test('three in a row and one in line: every message once, in order, and the last one is answered', async () => {
  // With a cache each of them guesses, and only the first one is right.
  const { ask, said, model } = talking(memoryCheckpointer(), memoryCache())
  await settled(ask('zero'))
  const outcomes = Promise.allSettled([
    ask('one', 'interrupt'),
    ask('two', 'enqueue'),
    ask('three', 'interrupt'),
    ask('four', 'interrupt'),
  ])
  const { value } = await settled(outcomes)
  expect(value).toMatchObject([
    { reason: { code: 'run_fenced' } },
    { reason: { code: 'run_failed', details: { status: 'interrupted' } } },
    { reason: { code: 'run_fenced' } },
    { value: { run: 'four' } },
  ])
  expect(await said()).toEqual(['zero', 'You said zero', 'one', 'two', 'three', 'four', 'You said four'])
  expect(model.requests.map(({ messages }) => messages.length)).toEqual([1, 3, 3, 3, 3, 5, 6])
})

test('a run interrupted between its supersteps keeps what it committed', async () => {
  const { app, gate } = twoSteps()
  const first = collected(app.stream({ log: 'slow' }, at))
  await vi.advanceTimersByTimeAsync(10)
  const { value } = await settled(app.invoke({ log: 'b' }, { ...at, strategy: 'interrupt' }))
  expect(value?.log).toEqual(['slow', 'first', 'b', 'first', 'second'])
  gate.resolve()
  const { events } = (await settled(first)).value ?? expect.unreachable()
  expect(events.at(-1)).toMatchObject({ type: 'run-failed', error: { code: 'run_fenced' } })
  expect((await app.state(at)).values.log).toEqual(['slow', 'first', 'b', 'first', 'second'])
})

test('a run rolled back leaves nothing: not its message, not what it committed, not in the cache', async () => {
  const { app, gate } = twoSteps()
  await app.invoke({ log: 'a' }, at)
  const first = collected(app.stream({ log: 'slow' }, at))
  await vi.advanceTimersByTimeAsync(10)
  expect((await app.state(at)).values.log).toEqual(['a', 'first', 'second', 'slow', 'first'])
  const rolled = await settled(app.invoke({ log: 'b' }, { ...at, strategy: 'rollback' }))
  const log = ['a', 'first', 'second', 'b', 'first', 'second']
  expect(rolled.value?.log).toEqual(log)
  gate.resolve()
  const { events } = (await settled(first)).value ?? expect.unreachable()
  expect(events.at(-1)).toMatchObject({ type: 'run-failed', error: { code: 'run_cancelled' } })
  expect(typesOf(events)).not.toContain('run-finished')
  expect((await app.invoke({ log: 'c' }, at)).log).toEqual([...log, 'c', 'first', 'second'])
  expect((await app.history(at)).map(({ step }) => step).reverse()).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2])
  expect((await app.state(at, '5')).values.log).toEqual(['a', 'first', 'second', 'slow', 'first'])
})

test('of two at once the second rolls the first back: only its message and its answer', async () => {
  const { ask, said } = talking()
  const { value } = await settled(Promise.allSettled([ask('one'), ask('two', 'rollback')]))
  expect(value).toMatchObject([{ reason: { code: 'run_cancelled' } }, { value: { run: 'two' } }])
  expect(await said()).toEqual(['two', 'You said two'])
})

test('a thread that is deleted while a turn waits for it stays deleted', async () => {
  const { ask, checkpointer } = talking()
  const outcomes = Promise.allSettled([ask('one'), ask('two', 'enqueue')])
  await vi.advanceTimersByTimeAsync(10)
  await checkpointer.threads.delete(key)
  const { value } = await settled(outcomes)
  expect(value).toMatchObject([{ reason: { code: 'run_fenced' } }, { reason: { code: 'thread_unknown' } }])
  expect(await checkpointer.threads.get(key)).toBeUndefined()
})
