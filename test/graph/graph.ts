// Graphs for tests of graph/ alone: supersteps without a runtime.
import { applyInput, applyWrites, writesOf } from '../../src/graph/apply.ts'
import { append, last } from '../../src/graph/channel.ts'
import { emptyPosition, type Position } from '../../src/graph/checkpoint.ts'
import { type Graph, graphOf } from '../../src/graph/graph.ts'
import { plan } from '../../src/graph/plan.ts'
import type { TaskWrites } from '../../src/graph/task-writes.ts'

export const state = { log: append<string>(), count: last(0), item: last<unknown>() }

type Nodes = Parameters<typeof graphOf>[0]['nodes']
type Edges = Parameters<typeof graphOf>[0]['edges']

/** Every node writes its name to `log` unless `nodes` says otherwise. */
export function graph(names: readonly string[], edges: Edges, nodes: Nodes = {}): Graph {
  const logging = names.map((name): [string, () => unknown] => [name, () => ({ log: name })])
  return graphOf({ state, nodes: { ...Object.fromEntries(logging), ...nodes }, edges })
}

export function begin(of: Graph, input: unknown = { log: 'input' }): Position {
  return applyInput(of, emptyPosition, input, () => 'id')
}

/** One superstep: every task that is due, one after the other, applied in task order. */
export function superstep(of: Graph, position: Position): Position {
  const writes = plan(of, position, { deepFreeze: false }).map(
    ({ node, state: seen }): TaskWrites => writesOf(of, node.name, node.run(seen as never, {} as never)),
  )
  return applyWrites(of, position, writes, () => () => 'id')
}

/** What is due at each superstep: `a b | c`. A send shows its input. */
export function course(of: Graph, limit = 20): string {
  const seen: string[] = []
  for (let position = begin(of); position.due.length > 0 && seen.length < limit; position = superstep(of, position)) {
    seen.push(position.due.map(({ node, input }) => (input ? `${node}${JSON.stringify(input)}` : node)).join(' '))
  }
  return seen.join(' | ')
}
