// The outbox: recorded with the node's writes or not at all, delivered at least once, with one id.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { append, type Delivery, RecollectError, StateGraph, sweep } from '../../src/index.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import type { Outbox } from '../../src/ports/outbox.ts'
import { altered, at, losing, settled, unavailable } from './doubles.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

interface Options {
  readonly checkpointer?: Checkpointer
  /** What becomes of the attempts, in order; the last one goes for all that follow. */
  readonly fates?: readonly (Error | 'delivered' | 'hangs')[]
  /** How often the node throws after it has sent. */
  readonly failures?: number
  readonly attempts?: number
}

function sending({
  checkpointer = memoryCheckpointer(),
  fates = ['delivered'],
  failures = 0,
  attempts = 1,
}: Options = {}) {
  const delivered: Delivery[] = []
  let left = failures
  const app = new StateGraph({
    state: { log: append<string>() },
    nodes: {
      node: {
        retry: { attempts, delayMs: 10 },
        run: (_, { outbox, attempt }) => {
          outbox('ordered', { item: 'lamp', attempt })
          if (left-- > 0) throw new Error('not now')
          outbox('ordered', { item: 'desk', attempt })
          return { log: 'sent' }
        },
      },
    },
    edges: { start: 'node' },
  }).compile({
    checkpointer,
    deliver: {
      ordered: (message) => {
        delivered.push(message)
        const fate = fates[Math.min(delivered.length, fates.length) - 1]
        if (fate instanceof Error) throw fate
        return fate === 'hangs' ? new Promise(() => {}) : undefined
      },
    },
  })
  const swept = async () => (await settled(sweep({ checkpointer, graphs: { default: app } }))).value?.messages
  return { app, delivered, checkpointer, swept }
}

const refusing = () => Promise.reject(unavailable())

function outboxOf({ outbox }: Checkpointer, change: Partial<Outbox>): Outbox {
  return {
    take: (request) => outbox.take(request),
    settle: (message, fate) => outbox.settle(message, fate),
    forget: (tenant, owner) => outbox.forget(tenant, owner),
    purge: (ms) => outbox.purge(ms),
    ...change,
  }
}

describe('a message', () => {
  test('is delivered after the answer, each once, under ids that say where they come from', async () => {
    const { app, delivered, swept } = sending()
    await settled(app.invoke({}, { ...at, run: 'r' }))
    expect(delivered).toMatchObject([
      {
        id: 'r:1:0.1',
        topic: 'ordered',
        payload: { item: 'lamp', attempt: 1 },
        tenant: 'acme',
        thread: 't-1',
        run: 'r',
      },
      { id: 'r:1:0.2', topic: 'ordered', payload: { item: 'desk', attempt: 1 }, attempt: 1, graph: 'default' },
    ])
    expect(await swept()).toEqual({ delivered: 0, postponed: 0, failed: 0 })
  })

  test('of an attempt that failed is not sent', async () => {
    const { app, delivered } = sending({ failures: 1, attempts: 2 })
    await settled(app.invoke({}, at))
    expect(delivered.map(({ payload }) => payload)).toEqual([
      { item: 'lamp', attempt: 2 },
      { item: 'desk', attempt: 2 },
    ])
  })

  test('of a run that failed is not sent; continued, it is', async () => {
    const { app, delivered } = sending({ failures: 1 })
    expect((await settled(app.invoke({}, at))).error).toMatchObject({ code: 'node_failed' })
    expect(delivered).toEqual([])
    await settled(app.invoke(null, at))
    expect(delivered).toHaveLength(2)
  })

  test('of a task that finished beside one that failed goes out when the superstep is committed', async () => {
    const checkpointer = memoryCheckpointer()
    const delivered: string[] = []
    let fails = true
    const app = new StateGraph({
      state: { log: append<string>() },
      nodes: {
        sends: (_, { outbox }) => outbox('t', 'hello'),
        shaky: () => {
          if (fails) throw new Error('not now')
        },
      },
      edges: { start: ['sends', 'shaky'] },
    }).compile({ checkpointer, deliver: { t: ({ id }) => void delivered.push(id) } })
    await settled(app.invoke({}, { ...at, run: 'first' }))
    expect(delivered).toEqual([])
    fails = false
    await settled(app.invoke(null, { ...at, run: 'second' }))
    expect(delivered).toEqual(['first:1:0.1'])
  })

  test('T8 of a commit whose acknowledgement was lost goes out once', async () => {
    const inner = memoryCheckpointer()
    const commitStep = losing((step: Parameters<Checkpointer['commitStep']>[0]) => inner.commitStep(step), 2)
    const { app, delivered } = sending({ checkpointer: altered(inner, { commitStep }) })
    await settled(app.invoke({}, at))
    expect(delivered.map(({ id }) => id)).toHaveLength(2)
  })

  test('of a worker that is gone after its commit is delivered by the sweep', async () => {
    const inner = memoryCheckpointer()
    const { app, checkpointer, delivered } = sending({ checkpointer: inner })
    const first = sending({ checkpointer: altered(inner, { outbox: outboxOf(inner, { take: refusing }) }) })
    await settled(first.app.invoke({}, at))
    expect(first.delivered).toEqual([])
    await settled(sweep({ checkpointer, graphs: { default: app } }))
    expect(delivered).toHaveLength(2)
  })

  test('is no part of the state, nor of what a watcher is told', async () => {
    const { app } = sending()
    const events: unknown[] = []
    await settled(app.run({}, { ...at, emit: (event) => events.push(event) }))
    expect(JSON.stringify(events)).not.toContain('lamp')
    expect(JSON.stringify(await app.history(at))).not.toContain('lamp')
  })
})

describe('a delivery that fails', () => {
  test('is tried again by the standard’s schedule, ten times in three days, and then given up', async () => {
    const { app, delivered, swept } = sending({ fates: [new Error('no')] })
    const startedAt = Date.now()
    const times: number[] = []
    await settled(app.invoke({}, at))
    for (let minute = 0; minute < 6_000 && delivered.length < 20; minute++) {
      const before = delivered.length
      await swept()
      if (delivered.length > before) times.push(Date.now() - startedAt)
      await vi.advanceTimersByTimeAsync(60_000)
    }
    expect(new Set(delivered.map(({ id }) => id)).size).toBe(2)
    expect(delivered.map(({ attempt }) => attempt).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, index) => Math.floor(index / 2) + 1),
    )
    const hours = 3_600_000
    expect(times.at(-1)).toBeGreaterThan(75 * hours)
    expect(times.at(-1)).toBeLessThan(92 * hours)
    await vi.advanceTimersByTimeAsync(100 * hours)
    expect(await swept()).toEqual({ delivered: 0, postponed: 0, failed: 0 })
  })

  test('with an error that says it is of no use is given up at once', async () => {
    const { app, delivered, swept } = sending({ fates: [new RecollectError('input_invalid', 'Gone for good.')] })
    await settled(app.invoke({}, at))
    await vi.advanceTimersByTimeAsync(600_000)
    expect(await swept()).toEqual({ delivered: 0, postponed: 0, failed: 0 })
    expect(delivered).toHaveLength(2)
  })

  test('waits as long as the error asks for', async () => {
    const busy = new RecollectError('storage_unavailable', 'Busy.', { retryAfterMs: 3_000_000 })
    const { app, delivered, swept } = sending({ fates: [busy] })
    await settled(app.invoke({}, at))
    await vi.advanceTimersByTimeAsync(2_900_000)
    await swept()
    expect(delivered).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(200_000)
    await swept()
    expect(delivered).toHaveLength(4)
  })

  test('by hanging is cut off, and does not keep the others waiting', async () => {
    const { app, delivered, swept } = sending({ fates: ['hangs', 'delivered'] })
    await settled(app.invoke({}, at))
    expect(delivered).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await swept()).toEqual({ delivered: 1, postponed: 0, failed: 0 })
    expect(delivered.map(({ id, attempt }) => [id.at(-1), attempt])).toEqual([
      ['1', 1],
      ['2', 1],
      ['1', 2],
    ])
  })

  test('to be recorded is delivered again, under the same id', async () => {
    const inner = memoryCheckpointer()
    const deaf = altered(inner, { outbox: outboxOf(inner, { settle: refusing }) })
    const { app, delivered } = sending({ checkpointer: deaf })
    await settled(app.invoke({}, at))
    await vi.advanceTimersByTimeAsync(60_000)
    await settled(sweep({ checkpointer: inner, graphs: { default: app } }))
    expect(delivered).toHaveLength(4)
    expect(new Set(delivered.map(({ id }) => id)).size).toBe(2)
  })
})

describe('what cannot be sent is refused where it is sent', () => {
  const refused = async (
    run: (context: { outbox(topic: string, payload: unknown): void }) => void,
    options = {},
    place: object = at,
  ) => {
    const graph = new StateGraph({
      state: { log: append<string>() },
      nodes: { node: (_, context) => run(context) },
      edges: { start: 'node' },
    })
    const app = graph.compile({ checkpointer: memoryCheckpointer(), deliver: { ordered: () => {} }, ...options })
    return (await settled(app.invoke({}, place))).error
  }

  test('under a topic that nobody delivers', async () => {
    const error = await refused(({ outbox }) => outbox('order', 1))
    expect(error).toMatchObject({ code: 'topic_unknown', message: expect.stringContaining('did you mean "ordered"') })
  })

  test('from a run that has no thread', async () => {
    const error = await refused(({ outbox }) => outbox('ordered', 1), { checkpointer: undefined }, {})
    expect(error).toMatchObject({ code: 'thread_missing', message: expect.stringContaining('"node"') })
  })

  test('with a payload that cannot be stored', async () => {
    const error = await refused(({ outbox }) => outbox('ordered', { at: new URL('http://a.example') }))
    expect(error).toMatchObject({ code: 'state_unserializable' })
  })
})
