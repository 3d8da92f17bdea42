// What is wrong with a graph is said when it is made: each problem names its node and the way out.
import { describe, expect, test } from 'vitest'
import { END } from '../../src/graph/command.ts'
import { graphOf } from '../../src/graph/graph.ts'
import { mermaid } from '../../src/graph/mermaid.ts'
import { graph, state } from './graph.ts'

const a = () => ({})

describe('a definition', () => {
  test.each<[string, object, RegExp]>([
    ['no nodes', { nodes: {} }, /has no nodes/],
    ['no channels', { state: {} }, /has no channels/],
    ['no start', { edges: {} }, /edges\.start is missing: it names the node that input goes to first/],
    [
      'an edge to nowhere',
      { edges: { start: 'aa' } },
      /edges\.start goes to "aa", which is not a node \(did you mean "a"\?\)/,
    ],
    [
      'an edge from nowhere',
      { edges: { start: 'a', aa: 'a' } },
      /edges\.aa leaves a node that does not exist \(did you mean "a"\?\)/,
    ],
    ['an edge to start', { edges: { start: 'a', a: 'start' } }, /edges\.a goes to "start"/],
    ['one of a fan-out to nowhere', { edges: { start: ['a', 'zzz'] } }, /edges\.start goes to "zzz"/],
    [
      'an edge that is no edge',
      { edges: { start: 5 } },
      /edges\.start must be a node's name, a list of names or a function/,
    ],
    ['an edge that is null', { edges: { start: 'a', a: null } }, /edges\.a must be/],
    ['a reserved name', { nodes: { a, start: a } }, /cannot be called "start"/],
    ['a reserved name', { nodes: { a, [END]: a } }, /cannot be called "__end__"/],
    ['a node without a function', { nodes: { a: { timeoutMs: 1 } } }, /Node "a" has no run function/],
    [
      'retries below one',
      { nodes: { a: { run: a, retry: { attempts: 0 } } } },
      /Node "a" has retry\.attempts 0; it must be 1 or more/,
    ],
    [
      'a time limit of nothing',
      { nodes: { a: { run: a, timeoutMs: 0 } } },
      /Node "a" has timeoutMs 0; it must be above 0/,
    ],
    [
      'a time limit that is no number',
      { nodes: { a: { run: a, timeoutMs: Number.NaN } } },
      /Node "a" has timeoutMs NaN/,
    ],
    [
      'a join of one',
      { nodes: { a, j: { run: a, join: true } }, edges: { start: 'a', a: 'j' } },
      /Node "j" has join, but 1 static edges? go/,
    ],
    ['a step limit of nothing', { stepLimit: 0 }, /stepLimit is 0; it must be a whole number above 0/],
    ['a step limit that is no number', { stepLimit: Number.NaN }, /stepLimit is NaN/],
  ])('with %s is refused', (_, change, message) => {
    const definition = { state, nodes: { a }, edges: { start: 'a' }, ...change }
    const refused = expect.objectContaining({ code: 'graph_invalid', message: expect.stringMatching(message) })
    expect(() => graphOf(definition as never)).toThrow(refused)
  })

  test('is refused with every problem at once', () => {
    try {
      graphOf({ state: {}, nodes: { a: {} as never }, edges: { start: 'b', c: 'd' } })
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ details: { problems: expect.arrayContaining([expect.any(String)]) } })
      expect((error as { details: { problems: string[] } }).details.problems).toHaveLength(5)
    }
  })
})

describe('a drawing', () => {
  test('shows static edges, routes, ends and names that Mermaid would trip over', () => {
    const of = graph(['a', 'b "x" [1]', 'c'], { start: ['a', 'c'], a: () => END, 'b "x" [1]': 'c', c: END })
    expect(mermaid(of)).toBe(
      [
        'flowchart TD',
        '  start([start])',
        '  finish([end])',
        '  n0["a"]',
        '  n1["b #34;x#34; #91;1#93;"]',
        '  n2["c"]',
        '  start --> n0',
        '  start --> n2',
        '  n0 -. route .-> n0_route{ }',
        '  n1 --> n2',
        '  n2 --> finish',
      ].join('\n'),
    )
  })

  test('shows a node without an edge as one that may end', () => {
    expect(mermaid(graph(['a'], { start: 'a' }))).toContain('  n0 -.-> finish')
  })
})
