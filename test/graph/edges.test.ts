// Where a run goes: static edges, fan-out, routes, joins, commands and sends.
import { describe, expect, test } from 'vitest'
import { command, END, send } from '../../src/graph/command.ts'
import { begin, course, graph, superstep } from './graph.ts'

describe('edges', () => {
  test('a static edge leads on, END and no edge end the branch', () => {
    expect(course(graph(['a', 'b', 'c'], { start: 'a', a: 'b', b: 'c' }))).toBe('a | b | c')
    expect(course(graph(['a'], { start: 'a', a: END }))).toBe('a')
    expect(course(graph(['a'], { start: END }))).toBe('')
  })

  test('a fan-out makes all due at once, in the order of the array', () => {
    expect(course(graph(['a', 'b', 'c'], { start: ['c', 'a', 'b'] }))).toBe('c a b')
    expect(course(graph(['a', 'b', 'c', 'd'], { start: 'a', a: ['b', 'c', END], b: 'd', c: 'd' }))).toBe('a | b c | d')
  })

  test('a node that two branches of different length name runs once for each time', () => {
    const of = graph(['a', 'b', 'c', 'd'], { start: ['a', 'd'], a: 'b', b: 'd', c: 'd' })
    expect(course(of)).toBe('a d | b | d')
  })

  test('a route sees the state after the superstep and may name one, several, sends, END or nothing', () => {
    const routed = (route: (state: { log: readonly string[] }) => unknown) =>
      course(graph(['a', 'b', 'c'], { start: 'a', a: route }))
    expect(routed(({ log }) => (log.at(-1) === 'a' ? 'b' : 'c'))).toBe('a | b')
    expect(routed(() => ['c', 'b', 'c'])).toBe('a | c b')
    expect(routed(() => [send('b', { item: 1 }), 'b', send('b', { item: 1 })])).toBe('a | b{"item":1} b b{"item":1}')
    expect(routed(() => END)).toBe('a')
    expect(routed(() => [])).toBe('a')
  })

  test('a route out of start chooses by the input', () => {
    const of = graph(['a', 'b'], { start: ({ log }: { log: readonly string[] }) => (log[0] === 'input' ? 'b' : 'a') })
    expect(course(of)).toBe('b')
  })

  test.each([
    [
      'threw',
      () => {
        throw new Error('no way')
      },
      /The route edges\.a threw with Error/,
    ],
    ['named nothing', () => undefined, /edges\.a must name a node, END, send\(…\).*gave undefined/],
    ['named null', () => null, /gave null/],
    ['named a number in a list', () => ['b', 5], /gave number/],
    ['is asynchronous', async () => 'b', /edges\.a must name/],
    ['named no node', () => 'bb', /"a" goes to "bb", which is not a node \(did you mean "b"\?\)/],
    ['sends to no node', () => send('nowhere', {}), /"a" goes to "nowhere"/],
  ])('a route that %s is told so', (_, route, message) => {
    const of = graph(['a', 'b'], { start: 'a', a: route })
    expect(() => course(of)).toThrow(
      expect.objectContaining({ code: 'route_invalid', message: expect.stringMatching(message) }),
    )
  })

  test('a route cannot write into the state it sees', () => {
    const of = graph(['a', 'b'], { start: 'a', a: ({ log }: { log: string[] }) => (log.push('x') === 0 ? 'a' : 'b') })
    expect(() => course(of)).toThrow(expect.objectContaining({ code: 'route_invalid' }))
  })

  test('a command takes the place of the edge, and without goto leaves it', () => {
    const of = (returned: unknown) => graph(['b', 'c'], { start: 'a', a: 'b' }, { a: () => returned })
    expect(course(of(command({ goto: 'c' })))).toBe('a | c')
    expect(course(of(command({ goto: ['c', 'b'] })))).toBe('a | c b')
    expect(course(of(command({ goto: END })))).toBe('a')
    expect(course(of(command({ goto: [] })))).toBe('a')
    expect(course(of(command({ update: { log: 'x' } })))).toBe('a | b')
    expect(() => course(of(command({ goto: 'd' })))).toThrow(/"a" goes to "d", which is not a node/)
    expect(() => course(of(command({ goto: 5 as never })))).toThrow(/Node "a" must name a node/)
  })

  test('a send lays its input over the state for its own task, and leaves the state alone', () => {
    const seen: unknown[] = []
    const work = ({ item, count }: { item: unknown; count: number }) => {
      seen.push([item, count])
    }
    const fan = () => command({ goto: [1, 2].map((item) => send('work', { item })), update: { count: 7 } })
    const of = graph([], { start: 'fan' }, { fan, work })
    const done = superstep(of, superstep(of, begin(of)))
    expect(seen).toEqual([
      [1, 7],
      [2, 7],
    ])
    expect(done.values).toEqual({ log: ['input'], count: 7 })
  })

  test('new input starts again from the start, whatever was due', () => {
    const of = graph(
      ['a', 'b', 'c'],
      { start: ['a', 'b'], a: 'c', b: 'c' },
      { c: { join: true, run: () => ({ log: 'c' }) } },
    )
    expect(begin(of).due).toEqual([{ node: 'a' }, { node: 'b' }])
    expect(begin(of).arrived).toEqual({})
  })
})

describe('a join', () => {
  const join = { join: true, run: () => ({ log: 'j' }) }

  test('waits for every node with a static edge to it, however long their branches', () => {
    expect(course(graph(['a', 'b', 'c'], { start: ['a', 'b'], b: 'c', a: 'j', c: 'j' }, { j: join }))).toBe(
      'a b | c | j',
    )
    expect(course(graph(['a', 'b'], { start: ['a', 'b'], a: 'j', b: 'j' }, { j: join }))).toBe('a b | j')
  })

  test('does not run when one of them never does', () => {
    expect(course(graph(['a', 'b', 'c'], { start: ['a', 'b'], a: 'j', b: END, c: 'j' }, { j: join }))).toBe('a b')
  })

  test('keeps who has arrived in the position, in plain data', () => {
    const of = graph(['a', 'b', 'c'], { start: ['a', 'b'], a: 'j', b: 'c', c: 'j' }, { j: join })
    const half = superstep(of, begin(of))
    expect(half).toMatchObject({ arrived: { j: ['a'] }, due: [{ node: 'c' }] })
    expect(superstep(of, half)).toMatchObject({ arrived: {}, due: [{ node: 'j' }] })
  })

  test('that a route or a command names runs at once', () => {
    const of = graph(['a', 'b', 'c'], { start: 'c', a: 'j', b: 'j', c: () => 'j' }, { j: join })
    expect(course(of)).toBe('c | j')
  })

  test('counts who ran since it ran last: what had arrived before a route named it is spent', () => {
    // a arrives and r names j at once, so j runs; then b arrives alone, and j waits for a again.
    const of = graph(
      ['a', 'b', 'r', 'x'],
      { start: ['a', 'r', 'x'], a: 'j', r: () => 'j', x: 'b', b: 'j' },
      { j: join },
    )
    expect(course(of)).toBe('a r x | j b')
  })

  test('in a loop waits anew each round', () => {
    const again = ({ log }: { log: readonly string[] }) =>
      log.filter((name) => name === 'j').length < 2 ? ['a', 'b'] : END
    const of = graph(['a', 'b', 'c'], { start: ['a', 'b'], a: 'j', b: 'c', c: 'j', j: again }, { j: join })
    expect(course(of)).toBe('a b | c | j | a b | c | j')
  })
})
