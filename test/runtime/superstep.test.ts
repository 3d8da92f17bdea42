// Running tasks: order, retries, time limits, and whatever a node does instead of returning an update.
import { describe, expect, test } from 'vitest'
import { append, command, END, last, type NodeOptions, StateGraph, type StateOf, send } from '../../src/index.ts'
import type { Context } from '../../src/runtime/context.ts'
import { deferred, passing } from './doubles.ts'

const state = { log: append<string>(), count: last(0) }
interface Update {
  readonly log?: string
  readonly count?: number
}
type Returned = Update | undefined
type Run = (seen: StateOf<typeof state>, context: Context) => Returned | Promise<Returned>
type Node = Run | (NodeOptions & { readonly run: Run })

const one = (node: Node) => new StateGraph({ state, nodes: { a: node }, edges: { start: 'a' } }).compile()

describe('tasks of a superstep', () => {
  test('T4 are applied in task order, whatever order they finish in', async () => {
    const gates = ['a', 'b', 'c'].map((name) => ({ name, ...deferred() }))
    const nodes = Object.fromEntries(
      gates.map(({ name, promise }) => [
        name,
        async () => {
          await promise
          return { log: name, count: name.charCodeAt(0) }
        },
      ]),
    )
    const app = new StateGraph({ state, nodes, edges: { start: ['a', 'b', 'c'] } }).compile()
    const done = app.invoke({})
    for (const gate of gates.toReversed()) {
      gate.resolve()
      await passing(1)
    }
    expect(await done).toEqual({ log: ['a', 'b', 'c'], count: 99 })
  })

  test('run at once', async () => {
    const met = [deferred(), deferred()]
    const meet = (mine: number) => async () => {
      met[mine]?.resolve()
      await met[1 - mine]?.promise
    }
    const nodes = { a: meet(0), b: meet(1) }
    await expect(
      new StateGraph({ state, nodes, edges: { start: ['a', 'b'] } }).compile().invoke({}),
    ).resolves.toBeDefined()
  })

  test('T5 all finish before the first failure, in task order, is thrown', async () => {
    const slow = deferred()
    let finished = false
    const nodes = {
      a: async () => {
        await slow.promise
        throw new Error('first in order')
      },
      b: async () => {
        throw new Error('first in time')
      },
      c: async () => {
        await passing(5)
        finished = true
      },
    }
    const done = new StateGraph({ state, nodes, edges: { start: ['a', 'b', 'c'] } }).compile().invoke({})
    await passing(10)
    slow.resolve()
    await expect(done).rejects.toMatchObject({ code: 'node_failed', cause: { message: 'first in order' } })
    expect(finished).toBe(true)
  })

  test('of a send are many, each with its own input and its own idempotency key', async () => {
    const keys = new Set<string>()
    const nodes = {
      fan: () => command({ goto: [1, 2, 3].map((count) => send('work', { count })) }),
      work: ({ count }: { count: number }, { idempotencyKey }: Context) => {
        keys.add(idempotencyKey)
        return { log: `work ${count}` }
      },
    }
    const app = new StateGraph({ state, nodes, edges: { start: 'fan' } }).compile()
    expect((await app.invoke({}, { run: 'run-1' })).log).toEqual(['work 1', 'work 2', 'work 3'])
    expect([...keys]).toEqual(['run-1:2:0', 'run-1:2:1', 'run-1:2:2'])
  })

  test('a run that does not end is stopped at the step limit, which is named', async () => {
    const app = new StateGraph({
      state,
      nodes: { a: () => ({ count: 1 }) },
      edges: { start: 'a', a: 'a' },
      stepLimit: 7,
    }).compile()
    await expect(app.invoke({})).rejects.toMatchObject({
      code: 'step_limit',
      message: expect.stringContaining('7 supersteps'),
    })
    const exact = new StateGraph({
      state,
      nodes: { a: () => ({ count: 1 }) },
      edges: { start: 'a', a: END },
      stepLimit: 1,
    }).compile()
    await expect(exact.invoke({})).resolves.toMatchObject({ count: 1 })
  })
})

describe('a node', () => {
  test('is tried again as often as it says, and its last failure is thrown', async () => {
    let tries = 0
    const run: Node = {
      retry: { attempts: 3, delayMs: 1 },
      run: (_, { attempt }) => {
        tries++
        if (attempt < 3) throw new Error('passing')
        return { count: attempt }
      },
    }
    expect(await one(run).invoke({})).toMatchObject({ count: 3 })
    expect(tries).toBe(3)
    const never: Node = {
      retry: { attempts: 2, delayMs: 1 },
      run: (_, { attempt }) => {
        throw new Error(`try ${attempt}`)
      },
    }
    await expect(one(never).invoke({})).rejects.toMatchObject({ code: 'node_failed', cause: { message: 'try 2' } })
  })

  test('is not tried again for what trying cannot mend', async () => {
    let tries = 0
    const wrong: Node = {
      retry: { attempts: 3, delayMs: 1 },
      run: () => {
        tries++
        return { nope: 1 } as never
      },
    }
    await expect(one(wrong).invoke({})).rejects.toMatchObject({ code: 'node_write_invalid' })
    expect(tries).toBe(1)
  })

  test('that never ends is given up after its time, and told by its signal', async () => {
    const told = deferred<unknown>()
    const app = one({
      timeoutMs: 20,
      run: (_, { signal, emit }) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            told.resolve(signal.reason)
            emit('late', 1)
          })
        }),
    })
    const events: string[] = []
    const failed = app.invoke({}, { emit: ({ type }) => events.push(type) })
    await expect(failed).rejects.toMatchObject({
      code: 'node_timeout',
      message: expect.stringMatching(/Node "a" took longer than 20 ms.*timeoutMs/),
    })
    expect(await told.promise).toMatchObject({ code: 'node_timeout' })
    expect(events).not.toContain('custom-emitted')
  })

  test('that returns after its time has written nothing', async () => {
    const late = deferred()
    const app = one({
      timeoutMs: 10,
      retry: { attempts: 2, delayMs: 1 },
      run: async (_, { attempt }) => {
        if (attempt === 1) await late.promise
        return { log: `try ${attempt}` }
      },
    })
    const done = app.invoke({})
    await passing(30)
    late.resolve()
    expect((await done).log).toEqual(['try 2'])
  })

  test.each([
    [
      'an error',
      () => {
        throw new Error('secret detail')
      },
      /^Node "a" threw Error\.$/,
    ],
    [
      'an error of a class',
      () => {
        throw new RangeError('secret detail')
      },
      /^Node "a" threw RangeError\.$/,
    ],
    [
      'a string',
      () => {
        throw 'secret detail'
      },
      /^Node "a" threw string\.$/,
    ],
    [
      'null',
      () => {
        throw null
      },
      /^Node "a" threw/,
    ],
    [
      'undefined, later',
      async () => {
        throw undefined
      },
      /^Node "a" threw undefined\.$/,
    ],
    [
      'a frozen object',
      () => {
        throw Object.freeze({ message: 'secret detail' })
      },
      /^Node "a" threw object\.$/,
    ],
  ])('that throws %s fails the run in a message without its text', async (_, node, message) => {
    const error = await one(node as Node)
      .invoke({})
      .catch((failure: unknown) => failure)
    expect(error).toMatchObject({ code: 'node_failed', message: expect.stringMatching(message) })
    expect(String(error)).not.toContain('secret')
  })

  test.each([
    ['a number', 5],
    ['a string', 'x'],
    ['an array', []],
    ['a Map', new Map()],
    ['a surplus key', { logs: 'x' }],
  ])('that returns %s fails the run by its name', async (_, garbage) => {
    for (const node of [() => garbage, async () => garbage]) {
      await expect(one(node as unknown as Node).invoke({})).rejects.toMatchObject({
        code: 'node_write_invalid',
        message: expect.stringContaining('Node "a"'),
      })
    }
  })

  test('that returns what can be awaited but is no Promise is awaited', async () => {
    // biome-ignore lint/suspicious/noThenProperty: that is what it is about.
    const thenable = { then: (resolve: (value: unknown) => void) => resolve({ log: 'x' }) }
    expect((await one((() => thenable) as never).invoke({})).log).toEqual(['x'])
  })

  test('that has ended is silent from then on, however it ended', async () => {
    const contexts: Context[] = []
    const keep = (end: () => undefined) =>
      ((_: unknown, context: Context) => {
        contexts.push(context)
        return end()
      }) as never
    const events: string[] = []
    const emit = ({ type }: { type: string }) => events.push(type)
    const fail = () => {
      throw new Error('x')
    }
    await one(keep(() => undefined)).invoke({}, { emit })
    await one(keep(fail))
      .invoke({}, { emit })
      .catch(() => {})
    for (const context of contexts) {
      context.emit('late', 1)
      expect(context.signal.aborted).toBe(true)
    }
    expect(events).not.toContain('custom-emitted')
  })
})

describe('a run that is aborted', () => {
  test('ends as cancelled at once, with or without a thread, and starts no further node', async () => {
    const aborting = new AbortController()
    const ran: string[] = []
    const nodes = {
      a: () => {
        ran.push('a')
        aborting.abort()
      },
      b: () => {
        ran.push('b')
      },
    }
    const app = new StateGraph({ state, nodes, edges: { start: 'a', a: 'b' } }).compile()
    await expect(app.invoke({}, { signal: aborting.signal })).rejects.toMatchObject({ code: 'run_cancelled' })
    expect(ran).toEqual(['a'])
    await expect(app.invoke({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'run_cancelled' })
    expect(ran).toEqual(['a'])
  })

  test('does not wait for a node that does not heed it, and its late failure is nobody else’s', async () => {
    const aborting = new AbortController()
    const late = deferred<undefined>()
    const app = one(() => late.promise)
    const done = app.invoke({}, { signal: aborting.signal })
    await passing(1)
    aborting.abort()
    await expect(done).rejects.toMatchObject({ code: 'run_cancelled' })
    late.reject(new Error('nobody is there'))
    await passing(5)
  })
})
