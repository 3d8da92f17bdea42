// A thread as chat completions take it: every call is followed by its own answer.
import { expect, test } from 'vitest'
import { conversationOf } from '../../../src/adapters/openai/conversation.ts'
import type { Message } from '../../../src/ports/model.ts'

const calling = (id: string, call: string): Message => {
  return { id, role: 'assistant', content: '', toolCalls: [{ id: call, name: 'look', arguments: '{}' }] }
}
const answer = (id: string, call: string, content: string): Message => {
  return { id, role: 'tool', toolCallId: call, name: 'look', content, status: 'success' }
}
const answers = (messages: readonly Message[]) =>
  conversationOf(messages).flatMap(({ role, content }) => (role === 'tool' ? [content] : []))

test('calls of one id in several replies have each their own answer', () => {
  const thread = [
    calling('1', 'call-0'),
    answer('2', 'call-0', 'first'),
    calling('3', 'call-0'),
    answer('4', 'call-0', 'second'),
  ]
  expect(answers(thread)).toEqual(['first', 'second'])
  const open = [calling('1', 'call-0'), calling('3', 'call-0'), answer('4', 'call-0', 'second')]
  expect(answers(open)).toEqual(['This call was not answered: the run ended before.', 'second'])
})

test('an answer to no call is left out, and of two to one call the later counts', () => {
  expect(
    answers([answer('1', 'x', 'to nobody'), calling('2', 'a'), answer('3', 'a', 'old'), answer('4', 'a', 'new')]),
  ).toEqual(['new'])
})
