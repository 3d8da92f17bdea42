// Messages in the LangGraph wire, both ways.
import { expect, test } from 'vitest'
import { messages } from '../../src/agent/messages.ts'
import { append, channel, last } from '../../src/graph/channel.ts'
import { inputOfWire, messageChannels, wireMessage, wireValues } from '../../src/http/wire-messages.ts'
import { StateGraph } from '../../src/runtime/state-graph.ts'

const { graph } = new StateGraph({
  state: {
    talk: messages(),
    notes: append<object>(),
    latest: last<unknown>(),
    strict: channel<string[], string>({
      initial: () => [],
      reduce: (list, word) => {
        if (typeof word !== 'string') throw new TypeError('a word must be a string')
        return [...list, word]
      },
    }),
  },
  nodes: { idle: () => ({}) },
  edges: { start: 'idle' },
})

test('channels of messages are known by what they do, whatever they are called', () => {
  expect([...messageChannels(graph)]).toEqual(['talk'])
})

test('a reply is shown with its calls, its end and what it cost', () => {
  const wire = wireMessage({
    id: 'm1',
    role: 'assistant',
    content: 'Let me see.',
    toolCalls: [
      { id: 'c1', name: 'look', arguments: '{"at":"it"}' },
      { id: 'c2', name: 'look', arguments: '' },
      { id: 'c3', name: 'look', arguments: '{"at":' },
      { id: 'c4', name: 'look', arguments: '[1]' },
    ],
    finishReason: 'tool-calls',
    model: 'm',
    usage: { inputTokens: 3, outputTokens: 4 },
  })
  expect(wire).toMatchObject({
    type: 'ai',
    id: 'm1',
    tool_calls: [
      { type: 'tool_call', id: 'c1', name: 'look', args: { at: 'it' } },
      { type: 'tool_call', id: 'c2', args: {} },
    ],
    invalid_tool_calls: [
      { type: 'invalid_tool_call', id: 'c3', args: '{"at":' },
      { type: 'invalid_tool_call', id: 'c4', args: '[1]' },
    ],
    response_metadata: { finish_reason: 'tool-calls', model_name: 'm' },
    usage_metadata: { input_tokens: 3, output_tokens: 4, total_tokens: 7 },
  })
})

test('every role has its type', () => {
  const tool = { id: 't', role: 'tool', toolCallId: 'c', name: 'look', content: 'it', status: 'error' } as const
  expect(wireMessage(tool)).toMatchObject({ type: 'tool', tool_call_id: 'c', name: 'look', status: 'error' })
  expect(wireMessage({ id: 's', role: 'system', content: 'Be kind.' })).toMatchObject({ type: 'system' })
  expect(wireMessage({ id: 'u', role: 'user', content: 'Hi' })).toMatchObject({ type: 'human', content: 'Hi' })
  expect(wireMessage({ id: 'r', role: 'removed' })).toMatchObject({ type: 'remove', id: 'r' })
})

test('one message alone is a list of one, and other channels pass as they are', () => {
  const values = { talk: { role: 'user', content: 'Hi' }, notes: [{ type: 'ai', content: 'x' }], latest: null }
  expect(wireValues(graph, values)).toMatchObject({
    talk: [{ type: 'human', content: 'Hi' }],
    notes: values.notes,
    latest: null,
  })
  const input = {
    talk: { type: 'human', content: 'Hi', id: null, additional_kwargs: {} },
    notes: [{ type: 'ai', content: 'x' }],
  }
  expect(inputOfWire(graph, input)).toEqual({ talk: [{ role: 'user', content: 'Hi' }], notes: input.notes })
})

test('a message of the wrong form is refused with its place', () => {
  const refuse = (message: unknown) => () => inputOfWire(graph, { talk: [{ type: 'human', content: '' }, message] })
  for (const message of [null, 'Hi', 5, []]) expect(refuse(message)).toThrow(/talk\.1 must be an object/)
  for (const content of [undefined, null, 5, {}])
    expect(refuse({ type: 'human', content })).toThrow(/talk\.1 must have a content/)
  for (const id of ['', 5, {}, 'x'.repeat(257)])
    expect(refuse({ type: 'human', content: '', id })).toThrow(/talk\.1 has an id/)
  expect(refuse({ type: 'human', role: 'assistant', content: '' })).not.toThrow()
  expect(inputOfWire(graph, { talk: [{ type: 'human', role: 'assistant', toolCalls: [{}], content: '' }] })).toEqual({
    talk: [{ role: 'user', content: '' }],
  })
})
