// What storage may do to a turn: lose acknowledgements, go away, come back late. The clock is moved by hand.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { append, RecollectError, StateGraph } from '../../src/index.ts'
import type { BeginTurn, Checkpointer } from '../../src/ports/checkpointer.ts'
import { type Random, seeded } from '../kernel/random.ts'
import { altered, at, collected, losing, settled, typesOf, unavailable } from './doubles.ts'

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

describe('a lost acknowledgement', () => {
  test.each(['beginTurn', 'commitStep', 'loadChain'] as const)(
    'of %s changes nothing: the turn is there, once',
    async (name) => {
      const inner = memoryCheckpointer()
      await settled(graph.compile({ checkpointer: inner }).invoke({ log: 'x'.repeat(20_000) }, at))
      const call = inner[name].bind(inner) as (request: unknown) => Promise<never>
      const app = graph.compile({ checkpointer: altered(inner, { [name]: losing(call, 2) }) })
      const { value } = await settled(app.invoke({ log: 'a' }, at))
      expect(value?.log.slice(-3)).toEqual(['a', ...wholeTurn])
      expect(await app.history(at)).toHaveLength(6)
      expect(await inner.runs.list(key, { limit: 9, offset: 0 })).toMatchObject([{ attempts: 0 }, { attempts: 0 }])
    },
  )

  test('of the claim, for good, is told as unknown, and has not happened: the thread is free, and a retry is one turn', async () => {
    const inner = memoryCheckpointer()
    const deaf = altered(inner, { beginTurn: losing((begin) => inner.beginTurn(begin), 99) })
    const { error } = await settled(graph.compile({ checkpointer: deaf }).invoke({ log: 'a' }, at))
    expect(error).toMatchObject({ code: 'storage_unavailable' })
    await vi.advanceTimersByTimeAsync(0)
    expect(await inner.runs.list(key, { limit: 9, offset: 0 })).toEqual([])
    const { value } = await settled(graph.compile({ checkpointer: inner }).invoke({ log: 'a' }, at))
    expect(value?.log).toEqual(['a', ...wholeTurn])
  })

  test('of the claim behind an orphan, for good, leaves the orphan finished and of the new run no row', async () => {
    const inner = memoryCheckpointer()
    const gone = altered(inner, { commitStep: () => Promise.reject(unavailable()) })
    await settled(
      graph.compile({ checkpointer: gone, leaseMs: 10 }).invoke({ log: 'orphan' }, { ...at, run: 'orphan' }),
    )
    await vi.advanceTimersByTimeAsync(100)
    const begin = losing((request: BeginTurn) => inner.beginTurn(request), 99)
    let calls = 0
    const deaf = altered(inner, { beginTurn: (request) => (calls++ === 0 ? inner.beginTurn(request) : begin(request)) })
    const { error } = await settled(graph.compile({ checkpointer: deaf }).invoke({ log: 'a' }, at))
    expect(error).toMatchObject({ code: 'storage_unavailable' })
    await vi.advanceTimersByTimeAsync(0)
    expect(await inner.runs.list(key, { limit: 9, offset: 0 })).toMatchObject([{ run: 'orphan', status: 'success' }])
    const { value } = await settled(graph.compile({ checkpointer: inner }).invoke({ log: 'a' }, at))
    expect(value?.log).toEqual(['orphan', ...wholeTurn, 'a', ...wholeTurn])
  })

  test('T8 of a commit, for good, leaves the run due: its end is not written over one that may still land', async () => {
    const inner = memoryCheckpointer()
    const sent: string[] = []
    const deaf = altered(inner, {
      commitStep: (step) => {
        sent.push(step.status)
        return step.status === 'error' ? inner.commitStep(step) : Promise.reject(unavailable())
      },
    })
    const one = new StateGraph({ state: log, nodes: { a: () => ({ log: 'once' }) }, edges: { start: 'a' } })
    const failed = await settled(
      one.compile({ checkpointer: deaf, leaseMs: 10 }).invoke({ log: 'a' }, { ...at, run: 'r' }),
    )
    expect(failed.error).toMatchObject({ code: 'storage_unavailable' })
    expect(new Set(sent)).toEqual(new Set(['success']))
    expect(await inner.runs.get(key, 'r')).toMatchObject({ status: 'running' })
    await vi.advanceTimersByTimeAsync(100)
    const { value } = await settled(one.compile({ checkpointer: inner }).invoke({ log: 'b' }, at))
    expect(value?.log).toEqual(['a', 'once', 'b', 'once'])
  })

  test('of every commit, for good, is told as unknown; the same key then gives the answer, run once', async () => {
    const inner = memoryCheckpointer()
    const one = new StateGraph({ state: log, nodes: { a: () => ({ log: 'once' }) }, edges: { start: 'a' } })
    const { value } = await settled(
      collected(
        one
          .compile({ checkpointer: altered(inner, { commitStep: losing((step) => inner.commitStep(step), 99) }) })
          .stream({}, { ...at, key: 'k' }),
      ),
    )
    expect(value?.error).toMatchObject({ code: 'storage_unavailable' })
    expect(typesOf(value?.events ?? [])).toEqual(['run-started', 'run-failed'])
    const again = await settled(one.compile({ checkpointer: inner }).invoke({}, { ...at, key: 'k' }))
    expect(again.value).toEqual({ log: ['once'] })
  })
})

describe('a database that is away', () => {
  test('at the claim is an error that may be tried again, and nothing has happened', async () => {
    const inner = memoryCheckpointer()
    const away = altered(inner, { beginTurn: () => Promise.reject(unavailable()) })
    const { value } = await settled(collected(graph.compile({ checkpointer: away }).stream({}, at)))
    expect(value).toMatchObject({ events: [], error: { code: 'storage_unavailable', status: 503, retryable: true } })
    expect(await inner.threads.get(key)).toBeUndefined()
  })

  test('at the load leaves the run to whoever comes next: the same key is then answered, with the input', async () => {
    const inner = memoryCheckpointer()
    const app = graph.compile({ checkpointer: inner })
    await settled(app.invoke({ log: 'x'.repeat(20_000) }, at))
    const away = altered(inner, { loadChain: () => Promise.reject(unavailable()) })
    const failed = await settled(graph.compile({ checkpointer: away }).invoke({ log: 'kept' }, { ...at, key: 'k' }))
    expect(failed.error).toMatchObject({ code: 'storage_unavailable' })
    const { value } = await settled(app.invoke({ log: 'kept' }, { ...at, key: 'k' }))
    expect(value?.log.slice(-3)).toEqual(['kept', ...wholeTurn])
    expect(await app.history(at)).toHaveLength(6)
  })

  test('that refuses a commit for good ends the run: the thread is usable at once and keeps the input', async () => {
    const inner = memoryCheckpointer()
    const refusal = new RecollectError('storage_failed', 'Postgres refused a statement.')
    const refusing = altered(inner, {
      commitStep: (step) => (step.status === 'running' ? Promise.reject(refusal) : inner.commitStep(step)),
    })
    const failed = await settled(graph.compile({ checkpointer: refusing }).invoke({ log: 'kept' }, { ...at, run: 'r' }))
    expect(failed.error).toMatchObject({ code: 'storage_failed' })
    expect(await inner.runs.get(key, 'r')).toMatchObject({ status: 'error', error: { code: 'storage_failed' } })
    const app = graph.compile({ checkpointer: inner })
    expect((await settled(app.invoke({ log: 'b' }, at))).value?.log).toEqual(['kept', 'b', ...wholeTurn])
  })
})

describe('faults anywhere', () => {
  const faulty = (inner: Checkpointer, random: Random): Checkpointer => {
    const around =
      <Request, Answer>(call: (request: Request) => Promise<Answer>) =>
      async (request: Request) => {
        if (random.chance(0.25)) throw unavailable()
        const answer = await call(request)
        if (random.chance(0.25)) throw unavailable()
        return answer
      }
    return altered(inner, {
      beginTurn: around((begin) => inner.beginTurn(begin)),
      commitStep: around((step) => inner.commitStep(step)),
      loadChain: around((load) => inner.loadChain(load)),
      renewLease: () => Promise.reject(unavailable()),
      putSnapshot: around((snapshot) => inner.putSnapshot(snapshot)),
    })
  }

  test('lose no turn and double none, along 30 seeds of 8 turns, each tried until it is answered', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const inner = memoryCheckpointer()
      const app = graph.compile({ checkpointer: faulty(inner, seeded(seed)) })
      const expected: string[] = []
      for (let number = 1; number <= 8; number++) {
        expected.push(`turn ${number}`, ...wholeTurn)
        for (;;) {
          const { value } = await settled(app.invoke({ log: `turn ${number}` }, { ...at, key: `k${number}` }))
          if (value !== undefined) {
            expect(value.log, `seed ${seed}`).toEqual(expected)
            break
          }
          await vi.advanceTimersByTimeAsync(20_000)
        }
      }
      expect((await graph.compile({ checkpointer: inner }).state(at)).values.log, `seed ${seed}`).toEqual(expected)
    }
  })
})
