// What a node may return, what an input may hold, and the order in which writes are applied.
import { describe, expect, test } from 'vitest'
import { applyInput, applyWrites, checkInput, writesOf } from '../../src/graph/apply.ts'
import { channel } from '../../src/graph/channel.ts'
import { emptyPosition } from '../../src/graph/checkpoint.ts'
import { command } from '../../src/graph/command.ts'
import { graphOf } from '../../src/graph/graph.ts'
import { plan, stateView } from '../../src/graph/plan.ts'
import { begin, graph, superstep } from './graph.ts'

const of = graph(['a', 'b'], { start: ['a', 'b'] })

describe('what a node returns', () => {
  test.each([
    ['an update', { log: 'x' }, { log: 'x' }],
    ['nothing', undefined, {}],
    ['null', null, {}],
    ['a command', command({ update: { count: 1 } }), { count: 1 }],
    ['a command without update', command({ goto: 'b' }), {}],
  ])('may be %s', (_, returned, update) => {
    expect(writesOf(of, 'a', returned).update).toEqual(update)
  })

  test.each([
    ['a string', 'x', /Node "a" returned a string; it must return an object of channels, a command, or nothing/],
    ['an array', [{ log: 'x' }], /Node "a" returned an array/],
    ['a number', 0, /Node "a" returned a number/],
    ['false', false, /Node "a" returned a boolean/],
    ['a function', () => ({}), /Node "a" returned a function/],
    ['a class instance', new Date(), /Node "a" returned an instance of Date/],
    ['a surplus key', { logs: 'x' }, /Node "a" wrote to "logs", which is not a channel \(did you mean "log"\?\)/],
    ['a surplus key in a command', command({ update: { cuont: 1 } }), /did you mean "count"/],
    ['__proto__ as a key', JSON.parse('{"__proto__":{}}'), /Node "a" wrote to "__proto__"/],
    ['constructor as a key', { constructor: 1 }, /Node "a" wrote to "constructor"/],
  ])('may not be %s', (_, returned, message) => {
    const refused = expect.objectContaining({ code: 'node_write_invalid', message: expect.stringMatching(message) })
    expect(() => writesOf(of, 'a', returned)).toThrow(refused)
  })
})

describe('an input', () => {
  test.each([
    ['a string', 'x'],
    ['an array', []],
    ['null', null],
    ['an unknown channel', { nope: 1 }],
    ['__proto__', JSON.parse('{"__proto__":{"log":"x"}}')],
  ])('that is %s is refused', (_, input) => {
    expect(() => checkInput(of, input)).toThrow(expect.objectContaining({ code: 'input_invalid' }))
  })

  test('that a reducer refuses names the channel', () => {
    const picky = channel({
      initial: () => 0,
      reduce: (_: number, n: number) => {
        if (n < 0) throw new Error('below 0')
        return n
      },
    })
    const strict = graphOf({ state: { picky }, nodes: { a: () => ({}) }, edges: { start: 'a' } })
    const refused = expect.objectContaining({
      code: 'input_invalid',
      message: 'The input for channel "picky" was refused with Error.',
    })
    expect(() => checkInput(strict, { picky: -1 })).toThrow(refused)
    const writes = [{ node: 'a', update: { picky: -1 }, goto: undefined }]
    expect(() => applyWrites(strict, emptyPosition, writes, () => () => '')).toThrow(
      expect.objectContaining({
        code: 'node_write_invalid',
        message: 'Channel "picky" refused what node "a" wrote with Error.',
      }),
    )
  })

  test('leaves channels of an older graph in the thread, out of sight', () => {
    const position = { ...emptyPosition, values: { gone: [1], log: ['old'] } }
    const next = applyInput(of, position, { log: 'new' }, () => '')
    expect(next.values).toEqual({ gone: [1], log: ['old', 'new'] })
    expect(stateView(of, next.values)).toEqual({ log: ['old', 'new'], count: 0, item: undefined })
  })
})

describe('a superstep', () => {
  test('applies writes in task order and shows every task the same state', () => {
    const seen: unknown[] = []
    const write = (name: string) => (state: object) => {
      seen.push(state)
      return { log: name, count: name.charCodeAt(0) }
    }
    const both = graph([], { start: ['b', 'a'] }, { a: write('a'), b: write('b') })
    expect(superstep(both, begin(both)).values).toEqual({ log: ['input', 'b', 'a'], count: 97 })
    expect(seen[0]).toBe(seen[1])
  })

  test('that waits for a node which the graph no longer has names it and the way out', () => {
    const stale = { ...emptyPosition, due: [{ node: 'aa' }] }
    expect(() => plan(of, stale, { deepFreeze: false })).toThrow(
      expect.objectContaining({
        code: 'node_unknown',
        message: expect.stringMatching(/"aa".*did you mean "a".*send new input/),
      }),
    )
  })

  test('freezes arrays and their elements, and deeply only where that is asked for', () => {
    const position = { ...emptyPosition, values: { log: [{ deep: { er: [1] } }], item: { plain: { er: 1 } } } }
    const seen = (deepFreeze: boolean, values = structuredClone(position.values)) => {
      const [task] = plan(of, { ...position, values, due: [{ node: 'a' }] }, { deepFreeze })
      if (task === undefined) throw new Error('nothing is due')
      const { log, item } = task.state as typeof position.values
      return [log, log[0], log[0]?.deep, log[0]?.deep.er, item, item.plain].map(Object.isFrozen)
    }
    expect(seen(false)).toEqual([true, true, false, false, false, false])
    expect(seen(true)).toEqual([true, true, true, true, true, true])
    const viewed = structuredClone(position.values)
    stateView(of, viewed)
    expect(seen(true, viewed)).toEqual([true, true, true, true, true, true])
  })
})
