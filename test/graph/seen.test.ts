// What a model call saw is kept as places in the thread: found, small, and told back.
import { expect, test } from 'vitest'
import { idsIn, type ModelCall, parseSeen, seenText, viewOf } from '../../src/graph/seen.ts'
import { seeded } from '../kernel/random.ts'

const thread = (length: number) => Array.from({ length }, (_, index) => ({ id: `m${index}`, content: 'x'.repeat(200) }))
const callOf = (view: ModelCall['view']): ModelCall => ({ view, tools: ['order'], parameters: {}, reply: 'r' })
const textOf = (view: ModelCall['view']) =>
  seenText([{ node: 'model', update: {}, goto: undefined, calls: [callOf(view)] }]) ?? ''

test('the whole thread, and a window of it, are one range', () => {
  const messages = thread(50)
  expect(viewOf(messages, { other: [1, 'a', null], messages })).toEqual({
    ranges: [{ channel: 'messages', from: 'm0', count: 50, altered: false }],
    earlier: 0,
  })
  expect(viewOf(messages.slice(-8), { messages }).ranges).toMatchObject([{ from: 'm42', count: 8 }])
  expect(viewOf([], { messages })).toEqual({ ranges: [], earlier: 0 })
})

test('a summary before a window, and messages of other lists, are ranges of their own', () => {
  const messages = thread(10)
  const [head, note] = [{ id: 'summary' }, { id: 'note' }]
  const view = viewOf([head, ...messages.slice(4, 6), note, ...messages.slice(8)], { notes: [note], messages })
  expect(view.ranges.map(({ channel, from, count }) => [channel, from, count])).toEqual([
    [null, 'summary', 1],
    ['messages', 'm4', 2],
    ['notes', 'note', 1],
    ['messages', 'm8', 2],
  ])
})

test('messages that the node has changed are said to be so', () => {
  const messages = thread(6)
  const shown = messages.map((message, index) => (index < 4 ? { ...message, content: '…' } : message))
  expect(viewOf(shown, { messages }).ranges).toEqual([
    { channel: 'messages', from: 'm0', count: 4, altered: true },
    { channel: 'messages', from: 'm4', count: 2, altered: false },
  ])
})

test('what is kept does not grow with the thread, however scattered the view', () => {
  for (const pick of [(index: number) => index % 2 === 0, () => true]) {
    const sizes = [40, 400, 4_000].map((length) => {
      const messages = thread(length)
      return textOf(
        viewOf(
          messages.filter((_, index) => pick(index)),
          { messages },
        ),
      ).length
    })
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(60)
  }
  const messages = thread(400)
  const view = viewOf(
    messages.filter((_, index) => index % 2 === 0),
    { messages },
  )
  expect([view.ranges.length, view.earlier]).toEqual([16, 184])
})

test('whatever was in view is told back from text, on 300 random views', () => {
  const random = seeded(3)
  for (let round = 0; round < 300; round++) {
    const messages = thread(random.int(30))
    const own = Array.from({ length: 3 }, (_, index) => ({ id: `own${index}` }))
    const state = { own: own.slice(1), messages }
    const seen = [...own, ...messages].filter(() => random.chance(0.7))
    const [call] = parseSeen(textOf(viewOf(seen, state)))
    const ids = call?.view.ranges.flatMap((range) => idsIn(range, state) ?? expect.unreachable()) ?? []
    expect(ids).toEqual(seen.slice(call?.view.earlier).map(({ id }) => id))
  }
})

test('a superstep without a model call keeps nothing, and a text of a later format says nothing', () => {
  expect(seenText([{ node: 'a', update: {}, goto: undefined }])).toBeNull()
  expect(parseSeen(null)).toEqual([])
  expect(parseSeen('{"v":99,"calls":[{}]}')).toEqual([])
})
