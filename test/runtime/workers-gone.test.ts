// A worker that is gone, and one that was taken over: who goes on, and who may not. The clock is moved by hand.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { append, StateGraph, sweep } from '../../src/index.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import type { RunEvent } from '../../src/runtime/events.ts'
import { altered, at, collected, deferred, settled, typesOf, unavailable } from './doubles.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const key = { tenant: at.tenant, thread: at.thread, owner: at.user }
const log = { log: append<string>() }

const graph = new StateGraph({
  state: log,
  nodes: { first: () => ({ log: 'first' }), second: async () => ({ log: 'second' }) },
  edges: { start: 'first', first: 'second' },
})
const wholeTurn = ['first', 'second']

describe('a worker that is gone', () => {
  /** Starts a run whose worker never gets a commit through, and waits until its lease has run out. */
  const abandoned = async () => {
    const inner = memoryCheckpointer()
    const gone = altered(inner, { commitStep: () => Promise.reject(unavailable()) })
    const { error } = await settled(graph.compile({ checkpointer: gone }).invoke({ log: 'a' }, { ...at, run: 'lost' }))
    expect(error).toMatchObject({ code: 'storage_unavailable', retryable: true })
    const app = graph.compile({ checkpointer: inner })
    return { inner, app }
  }

  test('holds its thread no longer than its lease', async () => {
    const { app } = await abandoned()
    const busy = await settled(app.invoke({ log: 'b' }, at))
    expect(busy.error).toMatchObject({ code: 'thread_busy', retryable: true, details: { run: 'lost' } })
    await vi.advanceTimersByTimeAsync(60_000)
    expect((await settled(app.invoke({ log: 'b' }, at))).value).toBeDefined()
  })

  test('leaves a run that the next request finishes first; its events are not those of that request', async () => {
    const { app, inner } = await abandoned()
    await vi.advanceTimersByTimeAsync(60_000)
    const { value } = await settled(collected(app.stream({ log: 'b' }, { ...at, run: 'next' })))
    const finished = value?.events.at(-1)
    expect(finished).toMatchObject({
      type: 'run-finished',
      run: 'next',
      values: { log: ['a', ...wholeTurn, 'b', ...wholeTurn] },
    })
    expect(value?.events.filter(({ type }) => type === 'run-started')).toHaveLength(1)
    expect(await inner.runs.get(key, 'lost')).toMatchObject({ status: 'success', answer: 3 })
  })

  test('leaves a run that the sweep finishes, and once is enough', async () => {
    const { app, inner } = await abandoned()
    expect((await sweep({ checkpointer: inner, graphs: { default: app } })).runs).toMatchObject({ found: 0 })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await settled(sweep({ checkpointer: inner, graphs: { default: app } }))).toMatchObject({
      value: { runs: { found: 1, finished: 1, failed: 0 } },
    })
    expect((await sweep({ checkpointer: inner, graphs: { default: app } })).runs).toMatchObject({ found: 0 })
    expect((await app.state(at)).values.log).toEqual(['a', ...wholeTurn])
  })

  test('leaves a run that a sweep without its graph leaves alone for a day, and then ends, so that the thread is usable', async () => {
    const { inner, app } = await abandoned()
    const elsewhere = { checkpointer: inner, graphs: {} }
    await vi.advanceTimersByTimeAsync(60_000)
    expect((await sweep(elsewhere)).runs).toEqual({ found: 0, finished: 0, failed: 0, givenUp: 0 })
    await vi.advanceTimersByTimeAsync(86_400_000)
    expect((await sweep(elsewhere)).runs).toMatchObject({ givenUp: 1 })
    expect(await inner.runs.get(key, 'lost')).toMatchObject({ status: 'dead', error: { code: 'graph_unknown' } })
    expect((await settled(app.invoke({ log: 'b' }, at))).value?.log).toEqual(['b', ...wholeTurn])
  })

  test('after a commit is followed from that commit, not from the start', async () => {
    const inner = memoryCheckpointer()
    let commits = 0
    const gone = altered(inner, {
      commitStep: (step) => (++commits > 1 ? Promise.reject(unavailable()) : inner.commitStep(step)),
    })
    await settled(graph.compile({ checkpointer: gone }).invoke({ log: 'a' }, at))
    await vi.advanceTimersByTimeAsync(60_000)
    const app = graph.compile({ checkpointer: inner })
    expect((await settled(app.invoke({ log: 'b' }, at))).value?.log).toEqual(['a', ...wholeTurn, 'b', ...wholeTurn])
    expect((await app.history(at)).map(({ step }) => step).reverse()).toEqual([0, 1, 2, 0, 1, 2])
  })

  test('that fails each time is dead after five, and the thread goes on', async () => {
    const { inner, app } = await abandoned()
    const gone = graph.compile({ checkpointer: altered(inner, { commitStep: () => Promise.reject(unavailable()) }) })
    for (let attempt = 2; attempt <= 5; attempt++) {
      await vi.advanceTimersByTimeAsync(60_000)
      expect(await settled(sweep({ checkpointer: inner, graphs: { default: gone } }))).toMatchObject({
        value: { runs: { failed: 1 } },
      })
    }
    await vi.advanceTimersByTimeAsync(60_000)
    expect((await settled(app.invoke({ log: 'b' }, at))).value?.log).toEqual(['b', ...wholeTurn])
    expect(await inner.runs.get(key, 'lost')).toMatchObject({ status: 'dead' })
  })
})

describe('a worker that was taken over', () => {
  const takenOver = async (renewLease: Partial<Checkpointer>) => {
    const inner = memoryCheckpointer()
    const gate = deferred()
    const aborted: unknown[] = []
    let runs = 0
    const slow = new StateGraph({
      state: log,
      nodes: {
        a: {
          timeoutMs: 600_000,
          run: async (_, { signal }) => {
            const mine = ++runs
            signal.addEventListener('abort', () => aborted.push(signal.reason))
            if (mine === 1) await gate.promise
            return { log: `attempt ${mine}` }
          },
        },
      },
      edges: { start: 'a' },
    })
    const first = collected(slow.compile({ checkpointer: altered(inner, renewLease) }).stream({}, { ...at, run: 'r' }))
    await vi.advanceTimersByTimeAsync(61_000)
    const second = await settled(slow.compile({ checkpointer: inner }).run({}, { ...at, run: 'r' }))
    expect(second.value).toMatchObject({ run: 'r', values: { log: ['attempt 2'] } })
    return { inner, gate, first, aborted, app: slow.compile({ checkpointer: inner }) }
  }
  const expectFenced = (events: readonly RunEvent[] | undefined) => {
    expect(typesOf(events ?? [])).toEqual(['run-started', 'run-failed'])
    expect(events?.at(-1)).toMatchObject({ error: { code: 'run_fenced', retryable: true } })
  }

  test('T1 cannot commit: its stream ends with run-failed, never with run-finished', async () => {
    const { gate, first, app } = await takenOver({ renewLease: () => Promise.reject(unavailable()) })
    gate.resolve()
    expectFenced((await settled(first)).value?.events)
    expect((await app.state(at)).values.log).toEqual(['attempt 2'])
    expect(await app.history(at)).toHaveLength(2)
  })

  test('learns it from its renewal, and its node is told to stop', async () => {
    const { first, aborted } = await takenOver({ renewLease: async () => 'fenced' })
    expectFenced((await settled(first)).value?.events)
    expect(aborted[0]).toMatchObject({ code: 'run_fenced' })
  })

  test('by a deletion leaves nothing behind', async () => {
    const inner = memoryCheckpointer()
    const gate = deferred()
    const nodes = {
      a: async () => {
        await gate.promise
        return { log: 'x' }
      },
    }
    const app = new StateGraph({ state: log, nodes, edges: { start: 'a' } }).compile({ checkpointer: inner })
    const run = collected(app.stream({}, at))
    await vi.advanceTimersByTimeAsync(1)
    await inner.threads.delete(key)
    gate.resolve()
    expectFenced((await settled(run)).value?.events)
    expect(await inner.threads.get(key)).toBeUndefined()
  })
})
