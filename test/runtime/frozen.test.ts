// A node that writes into its state in place gets an error that names node and channel, not silence.
import { describe, expect, test } from 'vitest'
import { append, last, messages, StateGraph, user } from '../../src/index.ts'

const state = {
  messages: messages(),
  tags: append<string>(),
  none: append<string>(),
  count: last(0),
  settings: last({ lang: 'de', nested: { deep: [1] } }),
}

type Loose = { [channel: string]: never }

const run = (write: (state: Loose) => unknown, deepFreeze = false) => {
  const nodes = { first: () => ({}), writer: (seen: unknown) => void write(seen as Loose) }
  const app = new StateGraph({ state, nodes, edges: { start: 'first', first: 'writer' } }).compile({ deepFreeze })
  return app.invoke({
    messages: [user('Hi'), user('there')],
    tags: ['x', 'y'],
    settings: { lang: 'fr', nested: { deep: [1] } },
  })
}

const frozen = (channel: string) =>
  expect.objectContaining({
    code: 'state_frozen',
    message: expect.stringMatching(new RegExp(`Node "writer" .*"${channel}".*return the new value`, 's')),
  })

// biome-ignore lint/suspicious/noExplicitAny: a node without types, as JavaScript writes it.
type Any = any

describe('a write in place', () => {
  test.each<[string, string, (state: Any) => unknown]>([
    ['a push', 'messages', (s) => s.messages.push(user('x'))],
    ['a push into an empty list', 'none', (s) => s.none.push('x')],
    ['an unshift', 'messages', (s) => s.messages.unshift(user('x'))],
    ['a pop', 'tags', (s) => s.tags.pop()],
    ['a splice', 'messages', (s) => s.messages.splice(0, 1)],
    ['a sort', 'tags', (s) => s.tags.sort()],
    ['a reverse', 'tags', (s) => s.tags.reverse()],
    [
      'a length',
      'messages',
      (s) => {
        s.messages.length = 0
      },
    ],
    [
      'an element',
      'tags',
      (s) => {
        s.tags[0] = 'z'
      },
    ],
    [
      'the content of a message',
      'messages',
      (s) => {
        s.messages[0].content = 'edited'
      },
    ],
    [
      'a new property of a message',
      'messages',
      (s) => {
        s.messages[1].seen = true
      },
    ],
    [
      'a deleted property of a message',
      'messages',
      (s) => {
        delete s.messages[1].id
      },
    ],
    [
      'a defined property of a message',
      'messages',
      (s) => {
        Object.defineProperty(s.messages[1], 'id', { value: 'x' })
      },
    ],
    [
      'a channel',
      'count',
      (s) => {
        s.count = 5
      },
    ],
    [
      'a deleted channel',
      'tags',
      (s) => {
        delete s.tags
      },
    ],
    ['an assignment over a message', 'messages', (s) => Object.assign(s.messages[0], { content: 'x' })],
  ])('by %s names node and channel', async (_, channel, write) => {
    await expect(run(write)).rejects.toEqual(frozen(channel))
  })

  test.each<[string, (state: Any) => unknown]>([
    [
      'a property',
      (s) => {
        s.settings.lang = 'en'
      },
    ],
    ['a nested list', (s) => s.settings.nested.deep.push(2)],
    [
      'a new nested property',
      (s) => {
        s.settings.nested.more = 1
      },
    ],
  ])('deep down, by %s, is caught where deepFreeze is on', async (_, write) => {
    await expect(run(write, true)).rejects.toEqual(frozen('settings'))
  })

  test('a TypeError about something else stays what it is', async () => {
    await expect(
      run(() => {
        ;(undefined as Any).x = 1
      }),
    ).rejects.toMatchObject({ code: 'node_failed' })
    await expect(
      run(() => {
        ;(5 as Any)()
      }),
    ).rejects.toMatchObject({ code: 'node_failed' })
  })

  test('a value that a node made and kept is frozen once it is state', async () => {
    const kept = ['mine']
    const nodes = { a: () => ({ tags: kept, count: 1 }), b: () => ({ tags: 'later' }) }
    const app = new StateGraph({ state, nodes, edges: { start: 'a', a: 'b' } }).compile()
    expect((await app.invoke({})).tags).toEqual(['mine', 'later'])
    kept.push('not stored')
    expect((await app.invoke({})).tags).toEqual(['mine', 'not stored', 'later'])
  })
})
