// Tools: their schemas by vendor, and a node that answers every call, whatever becomes of it.
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import * as mini from 'zod/mini'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { messages } from '../../src/agent/messages.ts'
import type { ToolContext } from '../../src/agent/tool.ts'
import { agent, RecollectError, StateGraph, type Tool, tool, toolNode, user } from '../../src/index.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { altered, at, deferred } from '../runtime/doubles.ts'

interface Call {
  readonly id?: string
  readonly name: string
  readonly arguments: unknown
}

/** One conversation in which the model makes `calls` at once. The tool messages, and what the model was asked with. */
async function answers(tools: readonly Tool[], calls: readonly Call[]) {
  const model = scriptedModel((said) => (said.at(-1)?.role === 'user' ? { calls } : 'Done.'))
  const app = agent({ tools }).compile({ model, checkpointer: memoryCheckpointer() })
  const { messages: said } = await app.invoke({ messages: user('Go') }, at)
  return { said: said.filter((message) => message.role === 'tool'), model, all: said }
}

const parameters = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }
const double = ({ n }: { n: number }) => `${n * 2}`
const described = { description: 'Doubles.', run: double }
const byVendor = {
  zod: tool('double', { ...described, input: z.object({ n: z.number() }) }),
  'zod/mini': tool('double', { ...described, input: mini.object({ n: mini.number() }) }),
  valibot: tool('double', { ...described, input: v.object({ n: v.number() }), jsonSchema: parameters }),
}

describe.each(Object.entries(byVendor))('a tool whose input is of %s', (_, doubling) => {
  test('tells the model its name and JSON Schema', async () => {
    expect(doubling).toMatchObject({ name: 'double', description: 'Doubles.', parameters })
    const { model } = await answers([doubling], [{ name: 'double', arguments: { n: 4 } }])
    expect(model.requests[0]?.tools).toMatchObject([{ name: 'double', parameters }])
  })

  test('runs with checked input, and answers what is wrong with any other', async () => {
    const { said } = await answers(
      [doubling],
      [
        { id: '1', name: 'double', arguments: { n: 4 } },
        { id: '2', name: 'double', arguments: { n: 'four' } },
        { id: '3', name: 'double', arguments: '{"n": 4' },
        { id: '4', name: 'double', arguments: '' },
        { id: '5', name: 'double', arguments: null },
      ],
    )
    expect(said.map(({ toolCallId, status }) => `${toolCallId} ${status}`)).toEqual([
      ...['1 success', '2 error', '3 error', '4 error', '5 error'],
    ])
    expect(said[0]?.content).toBe('8')
    expect(said[1]?.content).toMatch(/arguments of double are not valid: n: /)
    expect(said[2]?.content).toMatch(/not JSON. Call it again with a JSON object/)
  })
})

describe('a definition of a tool', () => {
  const input = mini.object({})
  const define = (name: string, change: object = {}) =>
    tool(name, { description: '', input, run: () => '', ...change } as never)

  test.each(['', 'a b', 'a.b', 'x'.repeat(65), 'é'])('is refused by the name %j', (name) => {
    expect(() => define(name)).toThrow(expect.objectContaining({ code: 'graph_invalid' }))
  })

  test('without a JSON Schema names the field that takes it', () => {
    const refused = { code: 'graph_invalid', message: expect.stringMatching(/"look".*"valibot".*field jsonSchema/) }
    expect(() => define('look', { input: v.object({}) })).toThrow(expect.objectContaining(refused))
  })

  test.each([
    ['zod', z.object({ at: z.date() })],
    ['zod/mini', mini.object({ at: mini.date() })],
    ['zod, transformed', z.object({ at: z.bigint() })],
  ])('with an input of %s that JSON Schema has no word for names the tool and the field', (_, odd) => {
    const refused = { code: 'graph_invalid', message: expect.stringMatching(/"look".*field jsonSchema/) }
    expect(() => define('look', { input: odd })).toThrow(expect.objectContaining(refused))
    expect(define('look', { input: odd, jsonSchema: parameters }).parameters).toEqual(parameters)
  })
})

describe('the tool node', () => {
  const named = (name: string, run: (context: ToolContext) => unknown) =>
    tool(name, { description: name, input: mini.object({}), run: (_, context) => run(context) })

  test('runs the calls of one message at once and answers them in their order', async () => {
    const met = [deferred(), deferred()]
    const meet = (mine: number) => async () => {
      met[mine]?.resolve()
      await met[1 - mine]?.promise
      return `from ${mine}`
    }
    const { said } = await answers(
      [named('one', meet(1)), named('zero', meet(0))],
      [
        { id: 'a', name: 'zero', arguments: {} },
        { id: 'b', name: 'one', arguments: {} },
      ],
    )
    expect(said.map(({ toolCallId, content, name }) => [toolCallId, name, content])).toEqual([
      ['a', 'zero', 'from 0'],
      ['b', 'one', 'from 1'],
    ])
  })

  test('answers each failure for itself, and an unknown tool with the names of those there are', async () => {
    const tools = [
      named('fine', () => 'ok'),
      named('throws', () => {
        throw new Error('no such order')
      }),
      named('rejects', () => Promise.reject('a string')),
      named('circular', () => {
        const self: Record<string, unknown> = {}
        self.self = self
        return self
      }),
    ]
    const calls = ['fine', 'throws', 'rejects', 'circular', 'fien', '__proto__', 'constructor'].map((name) => ({
      ...{ id: name, name, arguments: {} },
    }))
    const { said, all } = await answers(tools, calls)
    expect(said.map(({ status }) => status)).toEqual(['success', ...Array(6).fill('error')])
    expect(said[1]?.content).toBe('throws failed: no such order')
    expect(said[2]?.content).toBe('rejects failed: a string')
    expect(said[3]?.content).toMatch(/^circular failed: /)
    expect(said[4]?.content).toBe(
      'There is no tool "fien" (did you mean "fine"?). The tools are: fine, throws, rejects, circular.',
    )
    expect(said[5]?.content).toMatch(/^There is no tool "__proto__"/)
    expect(all.at(-1)?.content).toBe('Done.')
  })

  test.each([
    ['text as it is', 'a "b"', 'a "b"'],
    ['an object as JSON', { a: [1] }, '{"a":[1]}'],
    ['nothing as done', undefined, 'done'],
    ['null as JSON', null, 'null'],
    ['an empty text', '', ''],
    ['a number as JSON', 5, '5'],
  ])('gives the model %s', async (_, output, content) => {
    const { said } = await answers([named('give', () => output)], [{ name: 'give', arguments: {} }])
    expect(said).toMatchObject([{ content, status: 'success' }])
  })

  test('gives each call a key of its own, and all of a context that may be taken apart', async () => {
    const keys: string[] = []
    const ask = named('ask', ({ idempotencyKey, toolCallId, tenant, user: who, thread, emit, signal, env }) => {
      emit('asked', toolCallId)
      keys.push(idempotencyKey)
      return [toolCallId, tenant, who, thread, signal.aborted, env].join()
    })
    const { said } = await answers(
      [ask],
      [
        { id: 'c1', name: 'ask', arguments: {} },
        { id: 'c2', name: 'ask', arguments: {} },
      ],
    )
    expect(said.map(({ content }) => content)).toEqual([
      'c1,acme,ada,t-1,false,[object Object]',
      'c2,acme,ada,t-1,false,[object Object]',
    ])
    expect(keys[0]).toMatch(/:2:0:c1$/)
    expect(keys[1]).toMatch(/:2:0:c2$/)
  })

  test('writes nothing where the last message asks for nothing', async () => {
    const app = new StateGraph({
      state: { messages: messages() },
      nodes: { tools: toolNode([]) },
      edges: { start: 'tools' },
    }).compile()
    expect((await app.invoke({ messages: user('x') })).messages).toHaveLength(1)
    expect((await app.invoke({})).messages).toEqual([])
  })

  test('tells the model nothing of storage that was away: the run fails, and what was done is done again under its key', async () => {
    const keys: string[] = []
    const pay = tool('pay', {
      description: 'Pays.',
      input: z.object({}),
      run: (_, { idempotencyKey, task }) => task('paid', () => keys.push(idempotencyKey)),
    })
    const inner = memoryCheckpointer()
    let away = true
    const saveTask: typeof inner.saveTask = async (...part) => {
      if (away) throw new RecollectError('storage_failed', 'Postgres refused a statement.')
      return inner.saveTask(...part)
    }
    const model = scriptedModel((said) =>
      said.at(-1)?.role === 'user' ? { calls: [{ name: 'pay', arguments: {} }] } : 'Done.',
    )
    const app = agent({ tools: [pay] }).compile({ model, checkpointer: altered(inner, { saveTask }) })
    await expect(app.invoke({ messages: user('Go') }, at)).rejects.toMatchObject({ code: 'storage_failed' })
    expect((await app.state(at)).values.messages.map(({ role }) => role)).toEqual(['user', 'assistant'])
    away = false
    const { messages: said } = await app.invoke(null, at)
    expect(said.map(({ role, content }) => `${role} ${content}`)).toEqual([
      'user Go',
      'assistant ',
      'tool 2',
      'assistant Done.',
    ])
    expect(keys).toHaveLength(2)
    expect(new Set(keys).size).toBe(1)
  })

  test('of a run that is aborted answers nothing', async () => {
    const aborting = new AbortController()
    const stop = named('stop', async ({ signal }) => {
      aborting.abort()
      signal.throwIfAborted()
    })
    const model = scriptedModel(() => ({ calls: [{ name: 'stop', arguments: {} }] }))
    const app = agent({ tools: [stop] }).compile({ model, checkpointer: memoryCheckpointer() })
    await expect(app.invoke({ messages: user('x') }, { ...at, signal: aborting.signal })).rejects.toMatchObject({
      code: 'run_cancelled',
    })
    expect((await app.state(at)).values.messages.filter(({ role }) => role === 'tool')).toEqual([])
  })
})

describe('an agent', () => {
  test('puts its system text before the conversation at every call, and into no thread', async () => {
    const model = scriptedModel(() => 'Hi')
    const app = agent({ system: 'Be brief.' }).compile({ model, checkpointer: memoryCheckpointer() })
    await app.invoke({ messages: user('a') }, at)
    await app.invoke({ messages: user('b') }, at)
    expect(model.requests.map(({ messages: said }) => said.map(({ role }) => role))).toEqual([
      ['system', 'user'],
      ['system', 'user', 'assistant', 'user'],
    ])
    expect((await app.state(at)).values.messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'user',
      'assistant',
    ])
  })
})
