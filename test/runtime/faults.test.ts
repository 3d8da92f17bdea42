// What storage may do to a turn: lose acknowledgements, go away, come back late. The clock is moved by hand.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { append, RecollectError, StateGraph, sweep } from '../../src/index.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import type { RunEvent } from '../../src/runtime/events.ts'
import { type Random, seeded } from '../kernel/random.ts'
import { altered, at, collected, deferred, losing, typesOf, unavailable } from './doubles.ts'

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

/** Moves the clock until `work` has settled. */
async function settled<Value>(work: Promise<Value>): Promise<{ value?: Value; error?: unknown }> {
  let result: { value?: Value; error?: unknown } | undefined
  work.then(
    (value) => {
      result = { value }
    },
    (error: unknown) => {
      result = { error }
    },
  )
  for (let turn = 0; result === undefined && turn < 2_000; turn++) await vi.advanceTimersByTimeAsync(100)
  if (result === undefined) throw new Error('It did not settle in 200 seconds.')
  return result
}

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
    expect(await sweep(inner, { default: app })).toEqual({ found: 0, finished: 0, failed: 0 })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await settled(sweep(inner, { default: app }))).toEqual({ value: { found: 1, finished: 1, failed: 0 } })
    expect(await sweep(inner, { default: app })).toEqual({ found: 0, finished: 0, failed: 0 })
    expect((await app.state(at)).values.log).toEqual(['a', ...wholeTurn])
  })

  test('leaves a run that a sweep without its graph counts as not done', async () => {
    const { inner } = await abandoned()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await sweep(inner, {})).toEqual({ found: 1, finished: 0, failed: 1 })
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
      expect(await settled(sweep(inner, { default: gone }))).toMatchObject({ value: { failed: 1 } })
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
    const { first, aborted } = await takenOver({ renewLease: async () => false })
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
