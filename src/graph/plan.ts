// Planning: which tasks a position makes due, and the frozen state each of them sees.
import { didYouMean, RecollectError } from '../kernel/errors.ts'
import { isRecord } from '../kernel/json.ts'
import type { Position } from './checkpoint.ts'
import type { Graph, GraphNode } from './graph.ts'

/** One run of one node in one superstep. */
export interface Task {
  /** Place in task order: writes are applied in this order, whatever order tasks finish in. */
  readonly index: number
  readonly node: GraphNode
  readonly state: Readonly<Record<string, unknown>>
}

export interface PlanOptions {
  /** Freeze everything that nodes see, not only arrays and their elements. */
  readonly deepFreeze: boolean
}

/** The tasks that are due, in order; none when the run is at its end. */
export function plan(graph: Graph, position: Position, { deepFreeze }: PlanOptions): Task[] {
  if (position.due.length === 0) return []
  const shared = stateView(graph, position.values, { deepFreeze })
  return position.due.map(({ node: name, input }, index) => {
    const node = graph.nodes.get(name)
    if (node === undefined) throw unknownNode(graph, name)
    const state = input === undefined ? shared : Object.freeze({ ...shared, ...frozenRecord(input, deepFreeze) })
    return { index, node, state }
  })
}

/** Every channel of the graph with its value, or its start value where nothing was written yet. */
export function stateView(
  graph: Graph,
  values: Position['values'],
  { deepFreeze }: PlanOptions = { deepFreeze: false },
): Readonly<Record<string, unknown>> {
  const view: Record<string, unknown> = {}
  for (const name of Object.keys(graph.channels)) {
    view[name] = freeze(Object.hasOwn(values, name) ? values[name] : graph.channels[name]?.initial(), deepFreeze)
  }
  return Object.freeze(view)
}

function frozenRecord(record: Readonly<Record<string, unknown>>, deep: boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, freeze(value, deep)]))
}

/**
 * A node that writes into its state in place would leave no delta and lose the write: arrays and their elements are
 * always frozen, so that it throws instead; plain objects further down only where `deep` asks for it, for its price.
 */
function freeze(value: unknown, deep: boolean): unknown {
  if (deep) freezeDeeply(value)
  else if (Array.isArray(value) && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const element of value) if (isRecord(element)) Object.freeze(element)
  }
  return value
}

/** A frozen object may hold others that are not, so that being frozen does not say that it was seen to. */
const frozenDeeply = new WeakSet<object>()

function freezeDeeply(value: unknown): void {
  if ((!Array.isArray(value) && !isRecord(value)) || frozenDeeply.has(value)) return
  frozenDeeply.add(Object.freeze(value))
  for (const inner of Object.values(value)) freezeDeeply(inner)
}

function unknownNode(graph: Graph, name: string): RecollectError {
  return new RecollectError(
    'node_unknown',
    `The thread waits for node "${name}", which the graph no longer has${didYouMean(name, [...graph.nodes.keys()])}. Deploy a graph that has it, or send new input: that starts again from the graph's first node.`,
  )
}
