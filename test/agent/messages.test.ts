// The messages channel: what may be written, under which id, and what is refused.
import { describe, expect, test } from 'vitest'
import { assistant, latestText, messages, removeMessage, StateGraph, system, user } from '../../src/index.ts'
import type { Message } from '../../src/ports/model.ts'

const { reduce } = messages()
const written = (current: readonly Message[], update: unknown) => {
  let count = 0
  return reduce(current, update as never, () => `id-${++count}`)
}
const said: readonly Message[] = [
  { id: 'a', role: 'user', content: 'one' },
  { id: 'b', role: 'assistant', content: 'two' },
]

describe('messages', () => {
  test('are appended in order, one or many, each with an id', () => {
    expect(written([], [user('x'), system('y'), assistant('z')]).map(({ id, role }) => `${id} ${role}`)).toEqual([
      ...['id-1 user', 'id-2 system', 'id-3 assistant'],
    ])
    expect(written(said, user('three'))).toEqual([...said, { id: 'id-1', role: 'user', content: 'three' }])
    expect(written(said, [])).toEqual(said)
  })

  test('with a known id take the place of the old, with an unknown one are appended', () => {
    expect(written(said, { ...user('ONE'), id: 'a' })).toEqual([{ id: 'a', role: 'user', content: 'ONE' }, said[1]])
    expect(written(said, { ...user('new'), id: 'c' }).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(() => written(said, { ...assistant('x'), id: 'a' })).toThrow(/role "user"; one of role "assistant"/)
  })

  test('are removed by id, and an unknown id removes none', () => {
    expect(written(said, removeMessage('a'))).toEqual([said[1]])
    expect(written(said, [removeMessage('a'), { ...user('again'), id: 'a' }]).map(({ id }) => id)).toEqual(['b', 'a'])
    expect(written(said, removeMessage('zzz'))).toEqual(said)
  })

  test('leave the list they were written to as it was', () => {
    const before = structuredClone(said)
    written(said, [{ ...user('ONE'), id: 'a' }, removeMessage('b'), user('x')])
    expect(said).toEqual(before)
  })

  test.each([
    ['null', null],
    ['a string', 'Hi'],
    ['a number', 5],
    ['a list in a list', [[user('x')]]],
    ['no role', { content: 'x' }],
    ['an unknown role', { role: 'robot', content: 'x' }],
    ['a role that is inherited', { role: 'constructor', content: 'x' }],
    ['no content', { role: 'user' }],
    ['content that is no text', { role: 'user', content: ['x'] }],
    ['an id that is no text', { role: 'user', content: 'x', id: 5 }],
    ['an empty id', { role: 'user', content: 'x', id: '' }],
    ['an id that is too long', { role: 'user', content: 'x', id: 'x'.repeat(257) }],
    ['a removal of nothing', { role: 'removed' }],
    ['a tool answer to nothing', { role: 'tool', content: 'x', name: 'y' }],
    ['calls that are no list', { role: 'assistant', content: '', toolCalls: {} }],
    ['calls that are no calls', { role: 'assistant', content: '', toolCalls: [null] }],
    ['a call without arguments', { role: 'assistant', content: '', toolCalls: [{ id: 'x', name: 'y' }] }],
  ])('refuse %s in an input', async (_, write) => {
    const app = new StateGraph({
      state: { messages: messages() },
      nodes: { a: () => ({}) },
      edges: { start: 'a' },
    }).compile()
    await expect(app.invoke({ messages: write as never })).rejects.toMatchObject({
      ...{ code: 'input_invalid', message: expect.stringMatching(/channel "messages".*In a message, /) },
    })
  })

  test('keep hostile text as it is', () => {
    const text = '\u0000 \ud83d __proto__ 😀'
    expect(latestText({ messages: written([], user(text)) })).toBe(text)
    expect(latestText({ messages: [] })).toBe('')
  })
})
