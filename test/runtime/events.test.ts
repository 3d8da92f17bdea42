// What a run tells while it goes on, and when: nothing before it is true.
import { describe, expect, test, vi } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { append, END, messages, StateGraph, user } from '../../src/index.ts'
import type { RunEvent } from '../../src/runtime/events.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { altered, at, collected, deferred, passing, typesOf } from './doubles.ts'

const log = { log: append<string>() }
const graph = new StateGraph({
  state: log,
  nodes: { a: () => ({ log: 'a' }), b: () => ({ log: 'b' }), c: () => ({ log: 'c' }) },
  edges: { start: ['a', 'b'], a: 'c' },
})

describe('events', () => {
  test('T7 of a checkpoint come after its commit was acknowledged, and run-finished is the last', async () => {
    const inner = memoryCheckpointer()
    const acknowledgements = [deferred(), deferred()]
    let commits = 0
    const checkpointer = altered(inner, {
      commitStep: async (step) => {
        const outcome = await inner.commitStep(step)
        await acknowledgements[commits++]?.promise
        return outcome
      },
    })
    const told: string[] = []
    const emit = (event: RunEvent) => {
      told.push(event.type === 'checkpoint-saved' ? `${event.seq}/${event.step} next ${event.next}` : event.type)
    }
    const done = graph.compile({ checkpointer }).invoke({}, { ...at, emit })
    await passing(5)
    expect(told).toEqual(['run-started'])
    acknowledgements[0]?.resolve()
    await passing(5)
    expect(told).toEqual(['run-started', '1/0 next a,b', '2/1 next c'])
    acknowledgements[1]?.resolve()
    await done
    expect(told).toEqual(['run-started', '1/0 next a,b', '2/1 next c', '3/2 next ', 'run-finished'])
  })

  test('of a checkpoint hold its values and its writes in task order', async () => {
    const { events } = await collected(graph.compile({ checkpointer: memoryCheckpointer() }).stream({ log: 'in' }, at))
    expect(events.filter(({ type }) => type === 'checkpoint-saved')).toMatchObject([
      { seq: 1, step: 0, values: { log: ['in'] }, writes: [], next: ['a', 'b'] },
      {
        ...{ seq: 2, step: 1, values: { log: ['in', 'a', 'b'] }, next: ['c'] },
        writes: [
          { node: 'a', update: { log: 'a' } },
          { node: 'b', update: { log: 'b' } },
        ],
      },
      {
        seq: 3,
        step: 2,
        values: { log: ['in', 'a', 'b', 'c'] },
        writes: [{ node: 'c', update: { log: 'c' } }],
        next: [],
      },
    ])
    expect(events.at(-1)).toMatchObject({ type: 'run-finished', seq: 3, values: { log: ['in', 'a', 'b', 'c'] } })
  })

  test('of a run without a thread are the same but for the numbers', async () => {
    const remembered = await collected(graph.compile({ checkpointer: memoryCheckpointer() }).stream({}, at))
    const forgotten = await collected(graph.compile().stream({}))
    expect(typesOf(forgotten.events)).toEqual(typesOf(remembered.events))
  })

  test('of a reply carry one message id, that of the message which is saved', async () => {
    const model = scriptedModel(() => ({ text: 'one two', calls: [{ id: 'c', name: 'look', arguments: { at: 1 } }] }))
    const app = new StateGraph({
      state: { messages: messages() },
      nodes: { ask: async (state, { model }) => ({ messages: await model.reply(state.messages) }) },
      edges: { start: 'ask', ask: END },
    }).compile({ checkpointer: memoryCheckpointer(), model })
    const { events } = await collected(app.stream({ messages: user('Hi') }, at))
    expect(typesOf(events)).toEqual([
      ...['run-started', 'reply-started', 'text-delta', 'text-delta', 'tool-call-started', 'tool-call-delta'],
      ...['reply-finished', 'checkpoint-saved', 'checkpoint-saved', 'run-finished'],
    ])
    const ids = new Set(events.flatMap((event) => ('messageId' in event ? [event.messageId] : [])))
    expect([...ids]).toEqual([(await app.state(at)).values.messages[1]?.id])
  })

  test('of an attempt that is tried again are declared void, and the next has an id of its own', async () => {
    let calls = 0
    const model = scriptedModel(() => ({ text: 'half', cutOff: ++calls === 1 }))
    const app = new StateGraph({
      state: { messages: messages() },
      nodes: {
        ask: {
          retry: { attempts: 2, delayMs: 1 },
          run: async (state, { model }) => ({ messages: await model.reply(state.messages) }),
        },
      },
      edges: { start: 'ask' },
    }).compile({ model })
    const { events } = await collected(app.stream({ messages: user('Hi') }))
    const types = typesOf(events).filter((type) => /reply|retried/.test(type))
    expect(types).toEqual(['reply-started', 'task-retried', 'reply-started', 'reply-finished'])
    const starts = events.flatMap((event) => (event.type === 'reply-started' ? [event.messageId] : []))
    expect(new Set(starts).size).toBe(2)
  })

  test('a watcher that throws neither ends the run nor changes what is said of it', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    const app = graph.compile({ checkpointer: memoryCheckpointer() })
    const emit = () => {
      throw new Error('the socket is gone')
    }
    expect((await app.invoke({}, { ...at, emit })).log).toEqual(['a', 'b', 'c'])
    expect(logged).toHaveBeenCalledTimes(1)
    logged.mockRestore()
    expect((await app.state(at)).values.log).toEqual(['a', 'b', 'c'])
  })

  test('a reader that stops reading does not stop the run', async () => {
    const app = graph.compile({ checkpointer: memoryCheckpointer() })
    for await (const _ of app.stream({}, at)) break
    await expect.poll(async () => (await app.state(at)).values.log).toEqual(['a', 'b', 'c'])
  })
})
