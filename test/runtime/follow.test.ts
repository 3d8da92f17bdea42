// Following a run from elsewhere through what goes wrong where it works. The clock is moved by hand.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { memoryCheckpointer, memoryEventLog } from '../../src/adapters/memory/index.ts'
import { append, StateGraph } from '../../src/index.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import { altered, at, collected, losing, settled, unavailable } from './doubles.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const one = new StateGraph({
  state: { log: append<string>() },
  nodes: { a: async () => ({ log: 'answer' }) },
  edges: { start: 'a' },
})

async function followedThrough(commitStep: (inner: Checkpointer) => Checkpointer['commitStep']) {
  const inner = memoryCheckpointer()
  const events = memoryEventLog()
  const app = one.compile({ checkpointer: inner, events })
  const silent = one.compile({ checkpointer: altered(inner, { commitStep: commitStep(inner) }), events })
  const deferred: Promise<unknown>[] = []
  const waitUntil = (work: Promise<unknown>) => deferred.push(work)
  const options = { ...at, run: 'r', record: true, waitUntil }
  const first = settled(silent.invoke({ log: 'ask' }, options))
  await vi.advanceTimersByTimeAsync(10)
  const { value } = await settled(collected(app.follow(at, 'r')))
  return { told: value?.events ?? [], error: (await first).error, app }
}

test('a run whose commit nobody answered is not said to have failed: whoever follows it goes on with it', async () => {
  const { told, error, app } = await followedThrough(() => () => Promise.reject(unavailable()))
  expect(error).toMatchObject({ code: 'storage_unavailable' })
  expect(told.map(({ type }) => type)).not.toContain('run-failed')
  expect(told.at(-1)).toMatchObject({ type: 'run-finished', values: { log: ['ask', 'answer'] } })
  expect((await app.state(at)).values.log).toEqual(['ask', 'answer'])
})

test('a run whose commit landed and was not acknowledged is told as what it is: finished', async () => {
  const { told, error } = await followedThrough((inner) => losing((step) => inner.commitStep(step), 99))
  expect(error).toMatchObject({ code: 'storage_unavailable' })
  expect(told.map(({ type }) => type)).not.toContain('run-failed')
  expect(told.at(-1)).toMatchObject({ type: 'run-finished', values: { log: ['ask', 'answer'] } })
})

test('whoever has just come asks often, and ever less often', async () => {
  const gate = Promise.withResolvers<void>()
  const inner = memoryCheckpointer()
  const events = memoryEventLog()
  const slow = new StateGraph({
    state: { log: append<string>() },
    nodes: {
      a: async () => {
        await gate.promise
        return { log: 'answer' }
      },
    },
    edges: { start: 'a' },
  })
  const working = slow.compile({ checkpointer: inner, events }).invoke({ log: 'ask' }, { ...at, run: 'r' })
  await vi.advanceTimersByTimeAsync(10)
  let asked = 0
  const runs: Checkpointer['runs'] = {
    list: (key, page) => inner.runs.list(key, page),
    get: (key, run) => {
      asked++
      return inner.runs.get(key, run)
    },
  }
  const elsewhere = slow.compile({ checkpointer: altered(inner, { runs }), events })
  const following = collected(elsewhere.follow(at, 'r'))
  const counts: number[] = []
  for (const ms of [100, 900, 9_000, 10_000]) {
    await vi.advanceTimersByTimeAsync(ms)
    counts.push(asked)
  }
  gate.resolve()
  expect((await settled(following)).value?.events.at(-1)).toMatchObject({ type: 'run-finished' })
  await settled(working)
  expect(counts).toEqual([2, 8, 16, 20])
})
