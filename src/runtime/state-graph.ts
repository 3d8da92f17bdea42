// The graph that applications write: the definition of `graph/`, with nodes that get a Context, and `compile`.
import type { Channels } from '../graph/channel.ts'
import { type Graph, type GraphDefinition, graphOf } from '../graph/graph.ts'
import type { NodeDefinition } from '../graph/node.ts'
import { RecollectError } from '../kernel/errors.ts'
import { CompiledGraph } from './compiled-graph.ts'
import type { Context } from './context.ts'
import type { CompileOptions } from './options.ts'

/**
 * A graph as one literal: `new StateGraph({ state, nodes, edges })`. What is wrong with it does not compile; what types
 * cannot see, such as an edge computed at run time, is a `graph_invalid` that lists every problem.
 */
export class StateGraph<C extends Channels, Nodes extends Record<string, NodeDefinition<C, Context>>> {
  readonly graph: Graph

  constructor(definition: GraphDefinition<C, Nodes>) {
    this.graph = graphOf(definition)
  }

  /** Throws `graph_invalid` when a node, or `extract`, needs something that `options` does not have; `id_invalid` for a name that is none. */
  compile(options: CompileOptions = {}): CompiledGraph<C> {
    for (const { name, requires = [] } of this.graph.nodes.values()) {
      for (const requirement of requires) {
        if (options[requirement] !== undefined) continue
        throw new RecollectError(
          'graph_invalid',
          `Node "${name}" needs a ${requirement}: compile({ ${requirement}: … }).`,
        )
      }
    }
    return new CompiledGraph<C>(this.graph, options)
  }
}
