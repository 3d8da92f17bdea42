// What must and must not compile when a graph is written. Checked by `tsc`; nothing here runs.
import { append, command, END, last, StateGraph, send } from '../../src/index.ts'

const state = { count: last(0), name: last<string>(), log: append<string>() }

new StateGraph({
  state,
  nodes: {
    a: (state) => ({ count: state.count + 1 }),
    b: {
      pure: true,
      timeoutMs: 5,
      run: async (state, { run, signal }) => ({ log: [run, String(state.name), String(signal.aborted)] }),
    },
    silent: () => {},
    asyncSilent: async () => {},
    routed: (state) => (state.count > 3 ? command({ goto: 'a' }) : command({ goto: END, update: { count: 1 } })),
    fan: () => command({ goto: [send('b', { count: 3 }), 'a'] }),
    maybe: (state) => (state.count > 1 ? { count: 1 } : undefined),
  },
  edges: {
    start: ['a', 'b'],
    a: (state) => (state.count > 2 ? 'b' : END),
    b: 'silent',
    silent: (state) => state.log.map((item) => send('a', { name: item })),
  },
})

// A graph whose nodes are built in a loop.
const looped: Record<string, (state: { readonly count: number }) => { count: number }> = {}
for (const name of ['x', 'y']) looped[name] = (state) => ({ count: state.count })
new StateGraph({ state, nodes: looped, edges: { start: 'x', x: 'y' } })

new StateGraph({
  state,
  nodes: { a: () => ({ count: 1 }) },
  edges: {
    // @ts-expect-error an edge to an unknown node
    start: 'nowhere',
  },
})

new StateGraph({
  state,
  nodes: { a: () => ({ count: 1 }) },
  edges: {
    start: 'a',
    // @ts-expect-error an edge from an unknown node
    b: 'a',
  },
})

new StateGraph({
  state,
  nodes: { a: () => ({ count: 1 }) },
  edges: {
    start: 'a',
    // @ts-expect-error a route to an unknown node
    a: (state) => (state.count > 1 ? 'nowhere' : END),
  },
})

new StateGraph({
  state,
  nodes: {
    // @ts-expect-error a write of the wrong type
    a: () => ({ count: 'one' }),
  },
  edges: { start: 'a' },
})

new StateGraph({
  state,
  nodes: {
    // @ts-expect-error a write to an unknown channel
    a: async () => ({ count: 1, cuont: 2 }),
  },
  edges: { start: 'a' },
})

new StateGraph({
  state,
  nodes: {
    // @ts-expect-error a surplus key from an object node
    a: { pure: true, run: (state) => ({ count: state.count, extra: 1 }) },
  },
  edges: { start: 'a' },
})

new StateGraph({
  state,
  nodes: {
    // @ts-expect-error a command to nowhere
    a: () => command({ goto: 'nowhere' }),
  },
  edges: { start: 'a' },
})

new StateGraph({
  state,
  nodes: {
    // @ts-expect-error a command that writes an unknown channel
    a: () => command({ goto: END, update: { nothing: 1 } }),
  },
  edges: { start: 'a' },
})

new StateGraph({
  state,
  nodes: {
    a: (state) => {
      // @ts-expect-error a channel that does not exist
      state.nothing
      // @ts-expect-error state is read-only
      state.count = 1
      return { count: 1 }
    },
  },
  edges: { start: 'a' },
})

const graph = new StateGraph({ state, nodes: { a: () => ({ count: 1 }) }, edges: { start: 'a' } }).compile()
// @ts-expect-error an input of the wrong type
graph.invoke({ count: 'one' })
const values: Promise<{ readonly count: number; readonly name: string | undefined; readonly log: readonly string[] }> =
  graph.invoke({ count: 1 })
void values
