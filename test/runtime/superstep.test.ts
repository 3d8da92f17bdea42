// The tasks of a superstep: their order, their failures, the step limit, and a run that is aborted.
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
