// Cancelling a run from another worker, and a worker that has to go: how both arrive, and what is kept.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { append, StateGraph, sweep } from '../../src/index.ts'
import { altered, at, collected, deferred, settled, typesOf, unavailable } from './doubles.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const key = { tenant: at.tenant, thread: at.thread, owner: at.user }

/** `first`, then `second`, which waits for `gate` the first time it runs; its signal is looked at by nobody. */
function slow(checkpointer = memoryCheckpointer()) {
  const gate = deferred()
  const calls: string[] = []
  const aborted: unknown[] = []
  const graph = new StateGraph({
    state: { log: append<string>() },
    nodes: {
      first: () => {
        calls.push('first')
        return { log: 'first' }
      },
      second: {
        timeoutMs: 600_000,
        run: async (_, { signal }) => {
          calls.push('second')
          signal.addEventListener('abort', () => aborted.push(signal.reason))
          if (calls.filter((name) => name === 'second').length === 1) await gate.promise
          return { log: 'second' }
        },
      },
    },
    edges: { start: 'first', first: 'second' },
  })
  const here = graph.compile({ checkpointer })
  const elsewhere = graph.compile({ checkpointer })
  return { here, elsewhere, gate, calls, aborted, checkpointer }
}

describe('a run that is cancelled from another worker', () => {
  test('is stopped by its next renewal, keeps its input and its supersteps, and its thread is free at once', async () => {
    const { here, elsewhere, calls, aborted, checkpointer } = slow()
    const watching = collected(here.stream({ log: 'in' }, { ...at, run: 'r' }))
    await vi.advanceTimersByTimeAsync(10)
    await elsewhere.cancel(at, 'r')
    expect(await checkpointer.runs.get(key, 'r')).toMatchObject({ status: 'cancelled', error: null })
    expect(await checkpointer.threads.get(key)).toMatchObject({ status: 'idle' })
    const { value } = await settled(watching)
    expect(value?.events.at(-1)).toMatchObject({ type: 'run-failed', error: { code: 'run_cancelled' } })
    expect(aborted).toMatchObject([{ code: 'run_cancelled' }])
    expect((await here.state(at)).values.log).toEqual(['in', 'first'])
    expect(calls).toEqual(['first', 'second'])
  })

  test('is told so by its commit, when that is sooner', async () => {
    const { here, elsewhere, gate } = slow()
    const running = settled(here.invoke({ log: 'in' }, { ...at, run: 'r' }))
    await vi.advanceTimersByTimeAsync(10)
    await elsewhere.cancel(at, 'r')
    gate.resolve()
    expect((await running).error).toMatchObject({ code: 'run_cancelled' })
    expect((await here.state(at)).values.log).toEqual(['in', 'first'])
  })

  test('before its first commit leaves its input in the thread all the same', async () => {
    const checkpointer = memoryCheckpointer()
    const gate = deferred()
    const graph = new StateGraph({
      state: { log: append<string>() },
      nodes: {
        node: async () => {
          await gate.promise
          return { log: 'late' }
        },
      },
      edges: { start: 'node' },
    })
    const [here, elsewhere] = [graph.compile({ checkpointer }), graph.compile({ checkpointer })]
    const running = settled(here.invoke({ log: 'in' }, { ...at, run: 'r' }))
    await vi.advanceTimersByTimeAsync(10)
    await elsewhere.cancel(at, 'r')
    expect((await here.state(at)).values.log).toEqual(['in'])
    gate.resolve()
    expect((await running).error).toMatchObject({ code: 'run_cancelled' })
    expect((await settled(here.invoke({ log: 'more' }, at))).value?.log).toEqual(['in', 'more', 'late'])
  })

  test('by a worker that is lost before it has ended it, is ended by the sweep and not run', async () => {
    const inner = memoryCheckpointer()
    const { here, calls, gate } = slow(inner)
    const lost = slow(altered(inner, { commitStep: () => Promise.reject(unavailable()) }))
    const running = settled(here.invoke({ log: 'in' }, { ...at, run: 'r' }))
    await vi.advanceTimersByTimeAsync(10)
    await settled(lost.elsewhere.cancel(at, 'r'))
    gate.resolve()
    expect((await running).error).toMatchObject({ code: 'run_cancelled' })
    await vi.advanceTimersByTimeAsync(60_000)
    const swept = await settled(sweep({ checkpointer: inner, graphs: { default: here } }))
    expect(swept.value?.runs).toMatchObject({ found: 1, finished: 1, failed: 0 })
    expect(await inner.runs.get(key, 'r')).toMatchObject({ status: 'cancelled' })
    expect(calls).toEqual(['first', 'second'])
  })

  test('may have ended already, or never have been', async () => {
    const { here, gate } = slow()
    gate.resolve()
    await settled(here.invoke({ log: 'in' }, { ...at, run: 'r' }))
    await here.cancel(at, 'r')
    expect((await here.state(at)).values.log).toEqual(['in', 'first', 'second'])
    await expect(here.cancel(at, 'x')).rejects.toMatchObject({ code: 'run_unknown' })
    await expect(here.cancel({ ...at, user: 'bob' }, 'r')).rejects.toMatchObject({ code: 'thread_unknown' })
  })
})

describe('a worker that has to go', () => {
  test('gives the run back at once: another goes on from the last commit, and it is no attempt', async () => {
    const { here, elsewhere, calls, aborted, checkpointer } = slow()
    const leaving = new AbortController()
    const watching = collected(here.stream({ log: 'in' }, { ...at, run: 'r', handOver: leaving.signal }))
    await vi.advanceTimersByTimeAsync(10)
    leaving.abort()
    const { value } = await settled(watching)
    expect(value?.error).toMatchObject({ code: 'run_handed_over', retryable: true })
    expect(typesOf(value?.events ?? [])).not.toContain('run-finished')
    expect(aborted).toMatchObject([{ code: 'run_handed_over' }])
    expect(await checkpointer.runs.get(key, 'r')).toMatchObject({ status: 'running', attempts: 0, orphaned: true })
    const swept = await settled(sweep({ checkpointer, graphs: { default: elsewhere } }))
    expect(swept.value?.runs).toMatchObject({ found: 1, finished: 1 })
    expect((await here.state(at)).values.log).toEqual(['in', 'first', 'second'])
    expect(calls).toEqual(['first', 'second', 'second'])
  })

  test('hands over what siblings have finished: they are not run again', async () => {
    const checkpointer = memoryCheckpointer()
    const gate = deferred()
    const calls: string[] = []
    const node = (name: string, wait: boolean) => async () => {
      calls.push(name)
      if (wait && calls.filter((each) => each === name).length === 1) await gate.promise
      return { log: name }
    }
    const app = new StateGraph({
      state: { log: append<string>() },
      nodes: { quick: node('quick', false), slow: node('slow', true) },
      edges: { start: ['quick', 'slow'] },
    }).compile({ checkpointer })
    const leaving = new AbortController()
    const running = settled(app.invoke({ log: 'in' }, { ...at, run: 'r', handOver: leaving.signal }))
    await vi.advanceTimersByTimeAsync(10)
    leaving.abort()
    expect((await running).error).toMatchObject({ code: 'run_handed_over' })
    await settled(sweep({ checkpointer, graphs: { default: app } }))
    expect((await app.state(at)).values.log).toEqual(['in', 'quick', 'slow'])
    expect(calls).toEqual(['quick', 'slow', 'slow'])
  })

  test('before it could begin leaves the run to the next one', async () => {
    const { here, checkpointer } = slow()
    const { error } = await settled(here.invoke({ log: 'in' }, { ...at, run: 'r', handOver: AbortSignal.abort() }))
    expect(error).toMatchObject({ code: 'run_handed_over' })
    expect(await checkpointer.runs.get(key, 'r')).toMatchObject({ status: 'running', orphaned: true })
  })

  test('whose release is lost leaves the run for one lease', async () => {
    const inner = memoryCheckpointer()
    const { here } = slow(altered(inner, { releaseTurn: () => Promise.reject(unavailable()) }))
    const leaving = new AbortController()
    const running = settled(here.invoke({ log: 'in' }, { ...at, run: 'r', handOver: leaving.signal }))
    await vi.advanceTimersByTimeAsync(10)
    leaving.abort()
    expect((await running).error).toMatchObject({ code: 'run_handed_over' })
    expect(await inner.runs.get(key, 'r')).toMatchObject({ orphaned: false })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await inner.runs.get(key, 'r')).toMatchObject({ orphaned: true })
  })
})
