// A graph: channels, nodes and edges in one literal, checked and made ready for planning. Pure: it knows no storage and no time.
import { didYouMean, RecollectError } from '../kernel/errors.ts'
import type { Channels, StateOf } from './channel.ts'
import { END, type Send } from './command.ts'
import type { CheckedNodes, NodeOptions } from './node.ts'

type NamesOf<Nodes> = Extract<keyof Nodes, string>

export type RouteTarget<Names extends string> = Names | typeof END | Send<Names>

/** A route is pure: it sees the state after the superstep and says what is due next. */
export type Route<C extends Channels, Names extends string> = (
  state: StateOf<C>,
) => RouteTarget<Names> | readonly RouteTarget<Names>[]

export type Edge<C extends Channels, Names extends string> =
  | Names
  | typeof END
  | readonly (Names | typeof END)[]
  | Route<C, Names>

export interface GraphDefinition<C extends Channels, Nodes> {
  readonly state: C
  readonly nodes: Nodes & CheckedNodes<C, Nodes>
  /** A string is a static edge, an array a fan-out, a function a route. `start` is where input enters. No edge: the node ends its branch, unless it returns a command. */
  readonly edges: { readonly start: Edge<C, NamesOf<NoInfer<Nodes>>> } & {
    readonly [Name in NamesOf<NoInfer<Nodes>>]?: Edge<C, NamesOf<NoInfer<Nodes>>>
  }
  /** Supersteps a run may take; then it fails with `step_limit`. 50 unless told otherwise. */
  readonly stepLimit?: number
}

/** A node as planning and running see it: nothing optional, nothing typed by its graph. */
export interface GraphNode extends NodeOptions {
  readonly name: string
  readonly run: (state: never, context: never) => unknown
}

export type GraphEdge = readonly string[] | ((state: Readonly<Record<string, unknown>>) => unknown)

/** Checked, and made ready for planning. */
export interface Graph {
  readonly channels: Readonly<Channels>
  readonly nodes: ReadonlyMap<string, GraphNode>
  readonly edges: ReadonlyMap<string, GraphEdge>
  /** Node with `join` → the nodes it waits for. */
  readonly joins: ReadonlyMap<string, readonly string[]>
  readonly stepLimit: number
}

/** Definition as a graph sees it once its types have done their work. */
interface LooseDefinition {
  readonly state: Channels
  readonly nodes: Readonly<Record<string, GraphNode['run'] | (NodeOptions & { readonly run: GraphNode['run'] })>>
  readonly edges: Readonly<Record<string, string | readonly string[] | ((state: never) => unknown) | undefined>>
  readonly stepLimit?: number
}

const reserved = ['start', END]

/** Checks a definition and makes it ready. Throws one `graph_invalid` that lists every problem. */
export function graphOf(definition: LooseDefinition): Graph {
  const nodes = new Map<string, GraphNode>()
  for (const [name, node] of Object.entries(definition.nodes)) {
    nodes.set(name, typeof node === 'function' ? { name, run: node } : { ...node, name })
  }
  const edges = new Map<string, GraphEdge>()
  for (const [source, edge] of Object.entries(definition.edges)) {
    if (edge === undefined) continue
    edges.set(source, typeof edge === 'string' ? [edge] : (edge as GraphEdge))
  }
  const joins = joinsOf(nodes, edges)
  const problems = [...nodeProblems(nodes), ...edgeProblems(nodes, edges), ...joinProblems(joins)]
  if (Object.keys(definition.state).length === 0)
    problems.push('The state has no channels; a graph needs at least one.')
  const { stepLimit = 50 } = definition
  if (!Number.isInteger(stepLimit) || stepLimit < 1) {
    problems.push(`stepLimit is ${stepLimit}; it must be a whole number above 0.`)
  }
  if (problems.length > 0) throw new RecollectError('graph_invalid', problems.join(' '), { details: { problems } })
  return { channels: definition.state, nodes, edges, joins, stepLimit }
}

function nodeProblems(nodes: ReadonlyMap<string, GraphNode>): string[] {
  const problems: string[] = []
  if (nodes.size === 0) problems.push('The graph has no nodes.')
  for (const [name, node] of nodes) {
    if (reserved.includes(name)) problems.push(`A node cannot be called "${name}": that name is reserved.`)
    if (typeof node.run !== 'function') problems.push(`Node "${name}" has no run function.`)
    if (node.retry !== undefined && !(node.retry.attempts >= 1)) {
      problems.push(`Node "${name}" has retry.attempts ${node.retry.attempts}; it must be 1 or more.`)
    }
    if (node.timeoutMs !== undefined && !(node.timeoutMs > 0)) {
      problems.push(`Node "${name}" has timeoutMs ${node.timeoutMs}; it must be above 0.`)
    }
    const asked = (node.interrupts ?? []).map((interrupt) => interrupt.name)
    const twice = asked.find((interrupt, index) => asked.indexOf(interrupt) < index)
    if (twice !== undefined) problems.push(`Node "${name}" has two interrupts "${twice}".`)
  }
  return problems
}

function edgeProblems(nodes: ReadonlyMap<string, GraphNode>, edges: ReadonlyMap<string, GraphEdge>): string[] {
  const problems: string[] = []
  const names = [...nodes.keys()]
  if (!edges.has('start')) problems.push('edges.start is missing: it names the node that input goes to first.')
  for (const [source, edge] of edges) {
    if (source !== 'start' && !nodes.has(source)) {
      problems.push(`edges.${source} leaves a node that does not exist${didYouMean(source, names)}.`)
    }
    if (typeof edge === 'function') continue
    if (!Array.isArray(edge)) {
      problems.push(`edges.${source} must be a node's name, a list of names or a function.`)
      continue
    }
    for (const target of edge) {
      if (target === END || nodes.has(target)) continue
      problems.push(`edges.${source} goes to "${target}", which is not a node${didYouMean(target, names)}.`)
    }
  }
  return problems
}

function joinsOf(nodes: ReadonlyMap<string, GraphNode>, edges: ReadonlyMap<string, GraphEdge>): Map<string, string[]> {
  const joins = new Map<string, string[]>()
  for (const [name, node] of nodes) {
    if (node.join !== true) continue
    const sources = [...edges].filter(([, edge]) => Array.isArray(edge) && edge.includes(name))
    joins.set(
      name,
      sources.map(([source]) => source),
    )
  }
  return joins
}

function joinProblems(joins: ReadonlyMap<string, readonly string[]>): string[] {
  return [...joins]
    .filter(([, sources]) => sources.length < 2)
    .map(
      ([name, sources]) =>
        `Node "${name}" has join, but ${sources.length} static edges go to it; a join waits for two or more.`,
    )
}
