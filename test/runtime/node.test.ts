// One node: its retries, its time limit, and whatever it does instead of returning an update.
import { describe, expect, test } from 'vitest'
import { append, last, type NodeOptions, type RunEvent, StateGraph, type StateOf } from '../../src/index.ts'
import type { Model } from '../../src/ports/model.ts'
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

  test('that is out of time tells no more of what its model goes on to say', async () => {
    const more = deferred()
    const model: Model = {
      async *stream() {
        yield { type: 'text-delta', text: 'in time' }
        await more.promise
        yield { type: 'text-delta', text: 'too late' }
        yield { type: 'finish', reason: 'stop', model: 'm', usage: undefined }
      },
    }
    const said: string[] = []
    const emit = (event: RunEvent) => {
      if (event.type === 'text-delta') said.push(event.text)
    }
    const replying: Node = {
      timeoutMs: 20,
      run: async (_, { model }) => ({ log: (await model.reply([])).content }),
    }
    const graph = new StateGraph({ state, nodes: { a: replying }, edges: { start: 'a' } })
    await expect(graph.compile({ model }).invoke({}, { emit })).rejects.toMatchObject({ code: 'node_timeout' })
    more.resolve()
    await passing(5)
    expect(said).toEqual(['in time'])
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
