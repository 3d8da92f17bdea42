// What is not done twice: tasks that finished beside one that failed (T5), and parts of a task that are kept (T6).
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { memoryCache, memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { append, command, StateGraph, send } from '../../src/index.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import { altered, at, losing, settled, unavailable } from './doubles.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const key = { tenant: at.tenant, thread: at.thread, owner: at.user }

/** `ready` and `shaky` run at once; `shaky` throws as often as `failures` says. */
function pair(checkpointer: Checkpointer = memoryCheckpointer(), failures = 1) {
  const calls: string[] = []
  const keys: string[] = []
  let left = failures
  const app = new StateGraph({
    state: { log: append<string>() },
    nodes: {
      ready: () => {
        calls.push('ready')
        return { log: 'ready' }
      },
      shaky: async (_, { idempotencyKey }) => {
        calls.push('shaky')
        keys.push(idempotencyKey)
        if (left-- > 0) throw new Error('not now')
        return { log: 'shaky' }
      },
    },
    edges: { start: ['ready', 'shaky'] },
  }).compile({ checkpointer })
  return { app, calls, keys, checkpointer }
}

describe('T5 a task that finished beside one that failed', () => {
  test('is not run again when the run is continued', async () => {
    const { app, calls, keys } = pair()
    expect((await settled(app.invoke({ log: 'in' }, at))).error).toMatchObject({ code: 'node_failed' })
    expect(await app.state(at)).toMatchObject({ values: { log: ['in'] }, next: ['ready', 'shaky'] })
    expect((await settled(app.invoke(null, at))).value?.log).toEqual(['in', 'ready', 'shaky'])
    expect(calls).toEqual(['ready', 'shaky', 'shaky'])
    expect(new Set(keys).size).toBe(1)
  })

  test('is kept through a second failure, and a third', async () => {
    const { app, calls, keys } = pair(memoryCheckpointer(), 3)
    await settled(app.invoke({ log: 'in' }, at))
    for (let time = 0; time < 2; time++) expect((await settled(app.invoke(null, at))).error).toBeDefined()
    expect((await settled(app.invoke(null, at))).value?.log).toEqual(['in', 'ready', 'shaky'])
    expect(calls.filter((name) => name === 'ready')).toHaveLength(1)
    expect(new Set(keys).size).toBe(1)
  })

  test('runs again for new input, which is another run', async () => {
    const { app, calls, keys } = pair()
    await settled(app.invoke({ log: 'in' }, at))
    expect((await settled(app.invoke({ log: 'more' }, at))).value?.log).toEqual(['in', 'more', 'ready', 'shaky'])
    expect(calls.filter((name) => name === 'ready')).toHaveLength(2)
    expect(new Set(keys).size).toBe(2)
  })

  test('has its command and its fan-out kept too', async () => {
    let fails = true
    const app = new StateGraph({
      state: { log: append<string>(), item: append<string>() },
      nodes: {
        fan: () =>
          command({ update: { log: 'fan' }, goto: [send('work', { item: ['a'] }), send('work', { item: ['b'] })] }),
        shaky: () => {
          if (fails) throw new Error('not now')
        },
        work: ({ item }) => ({ log: `work ${item}` }),
      },
      edges: { start: ['fan', 'shaky'] },
    }).compile({ checkpointer: memoryCheckpointer() })
    await settled(app.invoke({}, at))
    fails = false
    expect((await settled(app.invoke(null, at))).value?.log).toEqual(['fan', 'work a', 'work b'])
  })

  test('is found by its place among the tasks that are due, whatever a newer graph says of the edges', async () => {
    const checkpointer = memoryCheckpointer()
    await settled(pair(checkpointer).app.invoke({ log: 'in' }, at))
    const newer = new StateGraph({
      state: { log: append<string>() },
      nodes: { shaky: () => ({ log: 'shaky' }), ready: () => ({ log: 'again' }) },
      edges: { start: ['shaky', 'ready'] },
    }).compile({ checkpointer })
    expect((await settled(newer.invoke(null, at))).value?.log).toEqual(['in', 'ready', 'shaky'])
  })

  test('runs again when what it wrote cannot be stored: the failure is told, not its own', async () => {
    let calls = 0
    const app = new StateGraph({
      state: { log: append<unknown>() },
      nodes: {
        odd: () => {
          calls++
          return { log: calls === 1 ? () => {} : 'plain' }
        },
        shaky: () => {
          if (calls === 1) throw new Error('not now')
        },
      },
      edges: { start: ['odd', 'shaky'] },
    }).compile({ checkpointer: memoryCheckpointer() })
    expect((await settled(app.invoke({}, at))).error).toMatchObject({ code: 'node_failed' })
    expect((await settled(app.invoke(null, at))).value?.log).toEqual(['plain'])
  })
})

describe('T6 a part of a task', () => {
  /** One node with parts `a` and `b`; it throws after `a` as often as `failures` says. */
  const parted = (checkpointer: Checkpointer | undefined, failures = 1, options: object = {}) => {
    const made: string[] = []
    let left = failures
    const app = new StateGraph({
      state: { log: append<unknown>() },
      nodes: {
        node: {
          retry: { attempts: 2, delayMs: 10 },
          run: async (_, { task, attempt }) => {
            const make = (name: string) => task(name, () => made.push(name) && { name, attempt })
            const a = await make('a')
            if (left-- > 0) throw new Error('not now')
            return { log: [a, await make('b')] }
          },
        },
      },
      edges: { start: 'node' },
    }).compile({ ...(checkpointer && { checkpointer }), ...options })
    return { app, made }
  }

  test('is made once, however often its node is tried', async () => {
    for (const checkpointer of [memoryCheckpointer(), undefined]) {
      const { app, made } = parted(checkpointer)
      const { value } = await settled(app.invoke({}, checkpointer && at))
      expect(value?.log).toEqual([
        { name: 'a', attempt: 1 },
        { name: 'b', attempt: 2 },
      ])
      expect(made).toEqual(['a', 'b'])
    }
  })

  test('is made once when its run has failed and is continued', async () => {
    const { app, made } = parted(memoryCheckpointer(), 2)
    expect((await settled(app.invoke({}, at))).error).toMatchObject({ code: 'node_failed' })
    await settled(app.invoke(null, at))
    expect(made).toEqual(['a', 'b'])
  })

  test('is made once when its worker is gone, and found by the next one', async () => {
    const inner = memoryCheckpointer()
    const gone = altered(inner, { commitStep: () => Promise.reject(unavailable()) })
    const first = parted(gone, 0)
    expect((await settled(first.app.invoke({}, { ...at, key: 'k' }))).error).toMatchObject({
      code: 'storage_unavailable',
    })
    await vi.advanceTimersByTimeAsync(60_000)
    const second = parted(inner, 0)
    const { value } = await settled(second.app.invoke({}, { ...at, key: 'k' }))
    expect(value?.log).toHaveLength(2)
    expect([first.made, second.made]).toEqual([['a', 'b'], []])
  })

  test('whose acknowledgement is lost is made once', async () => {
    const inner = memoryCheckpointer()
    const saveTask = losing(([claim, part]: Parameters<Checkpointer['saveTask']>) => inner.saveTask(claim, part), 2)
    const { app, made } = parted(altered(inner, { saveTask: (...request) => saveTask(request) }), 0)
    expect((await settled(app.invoke({}, at))).value?.log).toHaveLength(2)
    expect(made).toEqual(['a', 'b'])
  })

  test('that throws is made again', async () => {
    let calls = 0
    const app = new StateGraph({
      state: { log: append<number>() },
      nodes: {
        node: async (_, { task }) => {
          const make = () => task('a', () => (++calls === 1 ? Promise.reject(new Error('first')) : calls))
          await make().catch(() => {})
          return { log: [await make(), await make()] }
        },
      },
      edges: { start: 'node' },
    }).compile({ checkpointer: memoryCheckpointer() })
    expect((await settled(app.invoke({}, at))).value?.log).toEqual([2, 2])
  })

  test('asked for twice at once is made once; another task’s of the same key is another', async () => {
    let calls = 0
    const app = new StateGraph({
      state: { log: append<number>(), item: append<string>() },
      nodes: {
        work: async (_, { task }) => ({ log: await Promise.all([1, 2].map(() => task('a', async () => ++calls))) }),
      },
      edges: { start: () => ['a', 'b'].map((item) => send('work', { item: [item] })) },
    }).compile({ checkpointer: memoryCheckpointer() })
    expect((await settled(app.invoke({}, at))).value?.log).toEqual([1, 1, 2, 2])
  })

  test('comes back as it was stored: a date is a date, a class is refused', async () => {
    const given: unknown[] = []
    const app = new StateGraph({
      state: { log: append<string>() },
      nodes: {
        node: async (_, { task }) => {
          given.push(await task('date', () => new Date(0)))
          await task('odd', () => new URL('http://a.example'))
        },
      },
      edges: { start: 'node' },
    }).compile({ checkpointer: memoryCheckpointer() })
    expect((await settled(app.invoke({}, at))).error).toMatchObject({ code: 'state_unserializable' })
    expect(given).toEqual([new Date(0)])
  })

  test.each([[''], ['a\u0000'], ['x'.repeat(257)], ['\ud800'], [7]])('is refused under the key %j', async (name) => {
    const app = new StateGraph({
      state: { log: append<string>() },
      nodes: { node: async (_, { task }) => void (await task(name as string, () => 1)) },
      edges: { start: 'node' },
    }).compile({ checkpointer: memoryCheckpointer() })
    const { error } = await settled(app.invoke({}, at))
    expect(error).toMatchObject({ code: 'id_invalid', message: expect.stringContaining('"node"') })
  })

  test('T2 of whoever has lost the thread is kept nowhere, and its node is stopped', async () => {
    const inner = memoryCheckpointer()
    const { app } = parted(altered(inner, { saveTask: async () => undefined }), 0)
    expect((await settled(app.invoke({}, at))).error).toMatchObject({ code: 'run_fenced' })
  })

  test('of a pure node that was begun ahead is made only when the claim is kept', async () => {
    const inner = memoryCheckpointer()
    const made: string[] = []
    const make = () => {
      made.push('a')
      return 'a'
    }
    const claim = Promise.withResolvers<void>()
    let begun = 0
    const held = altered(inner, {
      beginTurn: async (begin) => {
        if (++begun > 1) await claim.promise
        return inner.beginTurn(begin)
      },
    })
    const app = new StateGraph({
      state: { log: append<string>() },
      nodes: {
        node: { pure: true, run: async (_, { task }) => ({ log: await task('a', make) }) },
      },
      edges: { start: 'node' },
    }).compile({ checkpointer: held, cache: memoryCache() })
    await settled(app.invoke({}, at))
    const second = app.invoke({}, at)
    await vi.advanceTimersByTimeAsync(10)
    expect(made).toEqual(['a'])
    claim.resolve()
    expect((await settled(second)).value?.log).toEqual(['a', 'a'])
    expect(made).toEqual(['a', 'a'])
  })

  test('costs one statement, and a superstep without parts none', async () => {
    const inner = memoryCheckpointer()
    const calls: string[] = []
    const counted = new Proxy(inner, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...request: unknown[]) => {
          calls.push(String(name))
          return Reflect.apply(value, target, request)
        }
      },
    })
    await settled(parted(counted, 0).app.invoke({}, at))
    expect(calls).toEqual(['beginTurn', 'saveTask', 'saveTask', 'commitStep'])
    expect(await inner.threads.get(key)).toMatchObject({ status: 'idle' })
  })
})
