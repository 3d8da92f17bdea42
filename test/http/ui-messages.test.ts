// A thread as UI messages, also where its messages are not what a run of ours would have written.
import { safeValidateUIMessages } from 'ai'
import { expect, test } from 'vitest'
import { messagesOf, uiMessages, withoutAnswerOf } from '../../src/http/ui-messages.ts'
import type { Message } from '../../src/ports/model.ts'

const question = (id: string, content = 'Hi'): Message => ({ id, role: 'user', content })
const reply = (id: string, content: string, calls: readonly string[] = []): Message => ({
  id,
  role: 'assistant',
  content,
  ...(calls.length > 0 && { toolCalls: calls.map((call) => ({ id: call, name: 'look', arguments: '{"at":1}' })) }),
})
const result = (id: string, toolCallId: string, content: string, status: 'success' | 'error' = 'success'): Message => ({
  id,
  role: 'tool',
  toolCallId,
  name: 'look',
  content,
  status,
})

const conversation = [
  { id: 's', role: 'system', content: 'Be kind.' } as const,
  question('q1'),
  reply('run1:1:0:1.1.1', 'Looking.', ['a', 'b', 'c']),
  result('run1:2:0:1.1', 'a', '{"seen":true}'),
  result('run1:2:0:1.2', 'b', 'not there', 'error'),
  reply('run1:3:0:1.1.1', 'Seen.'),
  question('q2', 'And now?'),
  reply('run2:1:0:2.1.1', 'The same.'),
]

const unanswered = 'This call was not answered: the run ended before.'

test('what one run said is one message, with the id of the run; instructions are not shown', () => {
  expect(uiMessages(conversation)).toEqual([
    { id: 'q1', role: 'user', parts: [{ type: 'text', text: 'Hi' }] },
    {
      id: 'run1',
      role: 'assistant',
      parts: [
        { type: 'step-start' },
        { type: 'text', text: 'Looking.', state: 'done' },
        { type: 'tool-look', toolCallId: 'a', state: 'output-available', input: { at: 1 }, output: { seen: true } },
        { type: 'tool-look', toolCallId: 'b', state: 'output-error', input: { at: 1 }, errorText: 'not there' },
        { type: 'tool-look', toolCallId: 'c', state: 'output-error', input: { at: 1 }, errorText: unanswered },
        { type: 'step-start' },
        { type: 'text', text: 'Seen.', state: 'done' },
      ],
    },
    { id: 'q2', role: 'user', parts: [{ type: 'text', text: 'And now?' }] },
    {
      id: 'run2',
      role: 'assistant',
      parts: [{ type: 'step-start' }, { type: 'text', text: 'The same.', state: 'done' }],
    },
  ])
})

test('the AI SDK takes them for messages of its own', async () => {
  const checked = await safeValidateUIMessages({ messages: uiMessages(conversation) })
  expect(checked.success).toBe(true)
})

test('two runs in a row are two messages, and no id comes twice', () => {
  const twoRuns = [reply('run1:1:0:1.1.1', 'One.'), reply('run2:1:0:1.1.1', 'Two.')]
  expect(uiMessages(twoRuns).map(({ id }) => id)).toEqual(['run1', 'run2'])
  const interrupted = [reply('run1:1:0:1.1.1', 'One.'), question('q'), reply('run1:2:0:1.1.1', 'Two.')]
  expect(uiMessages(interrupted).map(({ id }) => id)).toEqual(['run1', 'q', 'run1:2:0:1.1.1'])
})

test('messages with ids of a graph’s own keep the first of them', () => {
  expect(uiMessages([reply('greeting', 'Hello.'), reply('more', 'There.')]).map(({ id }) => id)).toEqual(['greeting'])
})

test('a result that is text stays text, also when it looks like a number', () => {
  const parts = uiMessages([
    reply('r:1:0:1.1', '', ['a', 'b']),
    result('r:2:0:1.1', 'a', '42'),
    result('r:2:0:1.2', 'b', '[oops'),
  ])
  expect(parts[0]?.parts).toMatchObject([{ type: 'step-start' }, { output: '42' }, { output: '[oops' }])
})

test('a channel with anything else than messages shows nothing, and odd calls are passed over', () => {
  expect(messagesOf({ messages: 'text' })).toEqual([])
  expect(messagesOf({})).toEqual([])
  expect(messagesOf({ messages: [1, null, { role: 'user' }, { role: 'user', content: 'x' }] })).toEqual([])
  const odd = { ...reply('r:1:0:1.1', 'Hm.'), toolCalls: [1, { id: 'a' }, null] } as unknown
  expect(uiMessages(messagesOf({ messages: [odd] }))[0]?.parts).toHaveLength(2)
})

test('an unfinished answer is cut off at the last words of a person, or at another run’s', () => {
  const unfinished = conversation.slice(0, 5)
  expect(uiMessages(withoutAnswerOf('run1', unfinished)).map(({ id }) => id)).toEqual(['q1'])
  const continued = [question('q'), reply('run1:1:0:1.1.1', 'One.'), reply('run2:1:0:1.1.1', 'Two.')]
  expect(uiMessages(withoutAnswerOf('run2', continued)).map(({ id }) => id)).toEqual(['q', 'run1'])
})
