// What model calls saw is kept with the checkpoint of their superstep, in the statement that commits it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { memoryCache, memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import {
  agent,
  assistant,
  type CompiledGraph,
  interrupt,
  last,
  messages,
  StateGraph,
  send,
  user,
} from '../../src/index.ts'
import { randomId } from '../../src/kernel/id.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import type { RunEvent } from '../../src/runtime/events.ts'
import { readStep } from '../../src/runtime/step.ts'
import { type Script, scriptedModel } from '../../src/testing/index.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'

const colour = interrupt('colour', { payload: z.string(), answer: z.string() })

let database: NeonDatabase | undefined
beforeAll(async () => {
  database = await pgliteDatabase()
})
afterAll(() => database?.close())

const databases: Record<string, () => Checkpointer> = {
  memory: () => memoryCheckpointer(),
  neon: () => database?.checkpointer ?? expect.unreachable(),
}

describe.each(Object.entries(databases))('on %s', (_, make) => {
  const place = () => ({ tenant: `tenant-${randomId()}`, user: 'ada', thread: 'thread' })
  const echo: Script = (said) => `after ${said.length}`
  const stepAt = async (
    app: Pick<CompiledGraph, 'graph'>,
    checkpointer: Checkpointer,
    at: ReturnType<typeof place>,
    seq: string,
  ) => readStep(checkpointer, app.graph, at, seq)

  test('a window, a summary of the node’s own and what it changed are told apart', async () => {
    const checkpointer = make()
    const app = new StateGraph({
      state: { messages: messages() },
      nodes: {
        reply: async (state, { model }) => {
          const own = { id: 'summary-1', role: 'system', content: 'They spoke of tea.' } as const
          const [first, ...rest] = state.messages.slice(-3)
          const cut = first === undefined ? [] : [{ ...first, content: '…' }]
          return { messages: await model.reply([own, ...cut, ...rest], { maxOutputTokens: 7 }) }
        },
      },
      edges: { start: 'reply' },
    }).compile({ checkpointer, model: scriptedModel(echo) })
    const at = place()
    for (const text of ['one', 'two', 'three']) await app.run({ messages: user(text) }, at)
    const { calls } = await stepAt(app, checkpointer, at, '6')
    const { values } = await app.state(at, '5')
    expect(calls).toHaveLength(1)
    expect(calls[0]).toMatchObject({ task: 0, node: 'reply', parameters: { maxOutputTokens: 7 }, earlier: 0 })
    expect(calls[0]?.view).toEqual([
      { channel: null, from: 'summary-1', count: 1, altered: false, ids: ['summary-1'] },
      { channel: 'messages', from: values.messages[2]?.id, count: 1, altered: true, ids: [values.messages[2]?.id] },
      ...[{ channel: 'messages', from: values.messages[3]?.id, count: 2, altered: false }].map((range) => ({
        ...range,
        ids: values.messages.slice(3).map(({ id }) => id),
      })),
    ])
    expect(calls[0]?.answer).toMatchObject({ role: 'assistant', content: 'after 4' })
  })

  test('every call of a task is kept in the order they were begun, the failed ones too; of attempts, the last', async () => {
    const checkpointer = make()
    let attempts = 0
    const app = new StateGraph({
      state: { messages: messages(), noted: last('') },
      nodes: {
        work: {
          retry: { attempts: 2, delayMs: 1 },
          run: async (state, { model }) => {
            attempts++
            const failed = model.reply(state.messages, { system: 'fail' }).catch(() => 'failed')
            const told = model.reply([{ id: 'own', role: 'user', content: 'Hm?' }])
            const [, { content }] = await Promise.all([failed, told])
            if (attempts === 1) throw new Error('once')
            return { noted: content }
          },
        },
      },
      edges: { start: 'work' },
    }).compile({
      checkpointer,
      model: scriptedModel((said) => (said[0]?.content === 'fail' ? { failure: new Error('no') } : 'Well.')),
    })
    const at = place()
    await app.run({ messages: user('hi') }, at)
    const { calls } = await stepAt(app, checkpointer, at, '2')
    expect(calls.map(({ error, reply, answer }) => [error, reply === undefined, answer])).toEqual([
      ['model_failed', true, undefined],
      [undefined, false, undefined],
    ])
    expect(attempts).toBe(2)
  })

  test('each task of a fan-out has its own, as far as its own input', async () => {
    const checkpointer = make()
    const app = new StateGraph({
      state: { messages: messages(), told: messages() },
      nodes: {
        split: () => {},
        each: async (state, { model }) => ({ told: await model.reply(state.messages) }),
      },
      edges: {
        start: 'split',
        split: () => ['a', 'b'].map((id) => send('each', { messages: [{ id, role: 'user', content: id }] })),
      },
    }).compile({ checkpointer, model: scriptedModel(echo) })
    const at = place()
    await app.run({ messages: user('hi') }, at)
    const { calls, nodes } = await stepAt(app, checkpointer, at, '3')
    expect(nodes).toEqual(['each', 'each'])
    expect(calls.map(({ task, view }) => [task, view[0]?.ids])).toEqual([
      [0, ['a']],
      [1, ['b']],
    ])
  })

  test('what a finished task saw is kept while its sibling waits for an answer', async () => {
    const checkpointer = make()
    const app = new StateGraph({
      state: { messages: messages(), word: last('') },
      nodes: {
        reply: async (state, { model }) => ({ messages: await model.reply(state.messages) }),
        ask: {
          interrupts: [colour],
          run: async (_state, { interrupt }) => ({ word: await interrupt(colour, 'which?') }),
        },
      },
      edges: { start: ['reply', 'ask'] },
    }).compile({ checkpointer, model: scriptedModel(echo) })
    const at = place()
    const { interrupts } = await app.run({ messages: user('hi') }, at)
    const { checkpoint = '' } = await app.resume({ [interrupts[0]?.id ?? '']: 'red' }, at)
    const step = await stepAt(app, checkpointer, at, checkpoint)
    expect(step.nodes).toEqual(['reply', 'ask'])
    expect(step.calls).toMatchObject([{ node: 'reply', answer: { content: 'after 1' } }])
    expect(step.approvals).toMatchObject([{ status: 'answered', answer: '"red"', answeredBy: 'ada' }])
  })

  test('a superstep that was begun on the cached state keeps what it saw, and so does one whose graph has no model', async () => {
    const checkpointer = make()
    const app = agent().compile({ checkpointer, cache: memoryCache(), model: scriptedModel(echo) })
    const at = place()
    const speculations: unknown[] = []
    for (const text of ['one', 'two']) {
      const emit = (event: RunEvent) => {
        if (event.type === 'run-started') speculations.push(event.speculation)
      }
      await app.run({ messages: user(text) }, { ...at, emit })
    }
    expect(speculations.at(-1)).toBe('kept')
    expect((await stepAt(app, checkpointer, at, '4')).calls).toMatchObject([{ view: [{ count: 3 }] }])
    const plain = new StateGraph({
      state: { messages: messages() },
      nodes: { talk: () => ({ messages: assistant('hello') }) },
      edges: { start: 'talk' },
    }).compile({ checkpointer })
    await plain.run({ messages: user('hi') }, { ...at, thread: 'plain' })
    expect(await stepAt(plain, checkpointer, { ...at, thread: 'plain' }, '2')).toMatchObject({
      calls: [],
      approvals: [],
    })
  })
})
