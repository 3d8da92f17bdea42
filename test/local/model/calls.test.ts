// Which tools the scripted model calls, and with which arguments, without a server.
import { describe, expect, test } from 'vitest'
import { type ChatRequest, chatModel } from '../../../local/model/request.ts'
import { reply, type ScriptedCall } from '../../../local/model/script.ts'

type Messages = ChatRequest['messages']
type Choice = Pick<ChatRequest, 'tool_choice' | 'parallel_tool_calls'>

const text = { type: 'string' }
const cents = { type: 'integer', exclusiveMinimum: 0 }

function tool(name: string, properties: Record<string, unknown> = {}, required = Object.keys(properties)) {
  return { type: 'function' as const, function: { name, parameters: { type: 'object', properties, required } } }
}

const desk = [
  tool('lookup_order', { order: text }),
  tool('refund', { order: text, cents }),
  tool('get_weather', { city: text }),
]

const user = (content: string) => ({ role: 'user' as const, content })

function callsFor(messages: Messages, choice: Choice = {}, tools = desk): readonly ScriptedCall[] {
  const found = reply({ model: chatModel, messages, tools, ...choice })
  return found.kind === 'calls' ? found.calls : []
}

/** `[name, arguments]` of each call. */
const asked = (words: string, choice?: Choice, tools?: typeof desk) =>
  callsFor([user(words)], choice, tools).map((call) => [call.name, call.arguments])

const answered = (calls: readonly ScriptedCall[], ...results: string[]): Messages => [
  {
    role: 'assistant',
    content: null,
    tool_calls: calls.map(({ id, ...call }) => ({ id, type: 'function', function: call })),
  },
  ...calls.map(({ id }, index) => ({ role: 'tool' as const, tool_call_id: id, content: results[index] ?? '' })),
]

describe('tools asked for by name', () => {
  test.each([
    ['call refund with {"order":"A1","cents":1200}', [['refund', '{"order":"A1","cents":1200}']]],
    ['use lookup_order { "order": "a {b} \\"c\\"" } please', [['lookup_order', '{ "order": "a {b} \\"c\\"" }']]],
    ['Please run refund order=A1, cents=1200.', [['refund', '{"order":"A1","cents":1200}']]],
    ['invoke REFUND with order "A 1" and cents: 1200', [['refund', '{"order":"A 1","cents":1200}']]],
    ['call refund centz=5', [['refund', '{"order":"example","cents":1,"centz":"5"}']]],
    ['use the weather tool', [['get_weather', '{"city":"example"}']]],
    ['use the weather tool city Paris', [['get_weather', '{"city":"Paris"}']]],
    ['call refund with bad json', [['refund', '{"order": "A1", ']]],
    ['call a tool that does not exist: foo', [['foo', '{}']]],
  ])('%s', (words, calls) => {
    expect(asked(words)).toEqual(calls)
  })

  test('the bad arguments are not JSON', () => {
    const [call] = callsFor([user('call refund with bad json')])
    expect(() => JSON.parse(call?.arguments ?? '{}')).toThrow(SyntaxError)
  })

  test('several tools are called at once, each with its own arguments and id', () => {
    const calls = callsFor([user('call lookup_order {"order":"A1"}, refund order=A2 cents=5 and the weather tool')])
    expect(calls.map((call) => [call.name, call.arguments])).toEqual([
      ['lookup_order', '{"order":"A1"}'],
      ['refund', '{"order":"A2","cents":5}'],
      ['get_weather', '{"city":"example"}'],
    ])
    expect(new Set(calls.map(({ id }) => id)).size).toBe(3)
  })

  test('one tool can be called twice at once', () => {
    expect(asked('call refund {"cents":1} and refund {"cents":2}')).toEqual([
      ['refund', '{"cents":1}'],
      ['refund', '{"cents":2}'],
    ])
  })

  test.each([
    'Tell me of lookup_order and refund.',
    'What is your refund policy?',
    'echo call refund {"order":"A1"}',
    'call {"name":"call refund"}',
    'use frobnicate {"a":1}',
  ])('"%s" calls nothing', (words) => {
    expect(asked(words)).toEqual([])
  })

  test('with "then", and without parallel calls, a tool is called once the one before has answered', () => {
    const cases: [string, Choice][] = [
      ['call lookup_order {"order":"A1"}, then refund {"order":"A1","cents":5}', {}],
      ['call lookup_order {"order":"A1"} and refund {"order":"A1","cents":5}', { parallel_tool_calls: false }],
    ]
    for (const [words, choice] of cases) {
      const first = callsFor([user(words)], choice)
      expect(first.map(({ name }) => name)).toEqual(['lookup_order'])
      const afterFirst = [user(words), ...answered(first, 'shipped')]
      const second = callsFor(afterFirst, choice)
      expect(second.map(({ name }) => name)).toEqual(['refund'])
      expect(second[0]?.id).not.toBe(first[0]?.id)
      const afterSecond = [...afterFirst, ...answered(second, 'refunded')]
      expect(reply({ model: chatModel, messages: afterSecond, tools: desk, ...choice })).toMatchObject({
        text: '(scripted model) refund says: refunded',
      })
    }
  })
})

describe('arguments that nobody gave', () => {
  test('are made up by type, and only where required', () => {
    const properties = {
      text,
      day: { type: 'string', format: 'date' },
      size: { enum: ['small', 'large'] },
      count: { type: 'integer', minimum: 3 },
      price: { type: ['number', 'null'] },
      urgent: { type: 'boolean' },
      tags: { type: 'array', items: text },
      place: { type: 'object', properties: { city: text, street: text }, required: ['city'] },
      either: { anyOf: [{ type: 'null' }, { type: 'boolean' }] },
      preset: { type: 'string', default: 'as usual' },
      kind: { const: 'gift' },
      note: text,
    }
    const required = Object.keys(properties).filter((name) => name !== 'note')
    const [call] = callsFor([user('call ship')], {}, [tool('ship', properties, required)])
    expect(JSON.parse(call?.arguments ?? '')).toEqual({
      text: 'example',
      day: '2026-01-31',
      size: 'small',
      count: 3,
      price: 1,
      urgent: true,
      tags: [],
      place: { city: 'example' },
      either: true,
      preset: 'as usual',
      kind: 'gift',
    })
  })

  test('a tool without parameters is called with none', () => {
    const ping = { type: 'function' as const, function: { name: 'ping' } }
    expect(reply({ model: chatModel, messages: [user('call ping')], tools: [ping] })).toMatchObject({
      calls: [{ name: 'ping', arguments: '{}' }],
    })
  })
})

describe('the words of a support desk', () => {
  test.each([
    ['where is order A1?', [['lookup_order', '{"order":"A1"}']]],
    ['Look up my order #B-22', [['lookup_order', '{"order":"B-22"}']]],
    ['refund order A1 12.50', [['refund', '{"order":"A1","cents":1250}']]],
    ['Please refund $60 for order A1.', [['refund', '{"order":"A1","cents":6000}']]],
    ['refund order A1 1200 cents', [['refund', '{"order":"A1","cents":1200}']]],
    ['refund order A1', [['refund', '{"order":"A1","cents":1}']]],
  ])('%s', (words, calls) => {
    expect(asked(words)).toEqual(calls)
  })

  test.each(['lookupOrder', 'order-status', 'get_order', 'OrderTracking_find'])('%s looks up an order', (name) => {
    expect(asked('where is order A1', {}, [tool('ship', {}), tool(name, { id: text })])).toEqual([
      [name, '{"id":"A1"}'],
    ])
  })

  test('an amount in units is given where the tool does not count in cents', () => {
    const refund = tool('issueRefund', { orderId: text, amount: { type: 'number' } })
    expect(asked('refund order A1 12.50', {}, [refund])).toEqual([['issueRefund', '{"orderId":"A1","amount":12.5}']])
  })

  test('the order may have been named before', () => {
    const calls = callsFor([
      user('my order is A17'),
      { role: 'assistant', content: 'Noted.' },
      user('where is my order?'),
    ])
    expect(calls.map((call) => call.arguments)).toEqual(['{"order":"A17"}'])
  })

  test('what is to be remembered goes to the tool for that, or is noted where there is none', () => {
    const remember = tool('remember', { text })
    expect(asked('remember that I prefer tea', {}, [remember])).toEqual([['remember', '{"text":"I prefer tea"}']])
    expect(reply({ model: chatModel, messages: [user('remember that I prefer tea')] })).toMatchObject({
      text: '(scripted model) Noted: you prefer tea.',
    })
  })
})

describe('tool_choice and results', () => {
  test('"none" offers no tools', () => {
    expect(asked('call refund {"order":"A1"}', { tool_choice: 'none' })).toEqual([])
  })

  test('"required" and a named tool force a call', () => {
    expect(asked('Hi', { tool_choice: 'required' })).toEqual([['lookup_order', '{"order":"example"}']])
    const named = { type: 'function' as const, function: { name: 'refund' } }
    expect(asked('order A9', { tool_choice: named })).toEqual([['refund', '{"order":"A9","cents":1}']])
  })

  test('the results of all calls are told in their order', () => {
    const words = user('call lookup_order {"order":"A1"} and the weather tool')
    const messages = [words, ...answered(callsFor([words]), 'shipped', 'rain')]
    expect(reply({ model: chatModel, messages, tools: desk })).toMatchObject({
      text: '(scripted model) lookup_order says: shipped\nget_weather says: rain',
    })
  })

  test('a long result is cut short', () => {
    const words = user('use the weather tool')
    const messages = [words, ...answered(callsFor([words]), 'r'.repeat(5_000))]
    expect(reply({ model: chatModel, messages, tools: desk })).toMatchObject({
      text: `(scripted model) get_weather says: ${'r'.repeat(1_000)}…`,
    })
  })

  test('a new user message after the results starts anew', () => {
    const words = user('use the weather tool')
    const messages = [words, ...answered(callsFor([words]), 'rain'), user('echo dry')]
    expect(reply({ model: chatModel, messages, tools: desk })).toMatchObject({ text: '(scripted model) dry' })
  })
})
