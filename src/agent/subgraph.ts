// A graph as one node of another: its supersteps are parts of the node, each node of it done once, and what it asks is asked in the thread.
import { applyInput, applyWrites, writesOf } from '../graph/apply.ts'
import type { Channels, StateOf, UpdateOf } from '../graph/channel.ts'
import { emptyPosition } from '../graph/checkpoint.ts'
import type { Graph } from '../graph/graph.ts'
import type { NodeOptions, PlainNode } from '../graph/node.ts'
import { plan, stateView, type Task } from '../graph/plan.ts'
import { parseWrites, type TaskWrites, writesText } from '../graph/task-writes.ts'
import { RecollectError } from '../kernel/errors.ts'
import type { CompiledGraph } from '../runtime/compiled-graph.ts'
import type { Context } from '../runtime/context.ts'
import type { CompileOptions } from '../runtime/options.ts'
import { innerContext } from './inner-context.ts'

interface Subgraph<C extends Channels, State, Update> extends Omit<NodeOptions, 'interrupts' | 'requires'> {
  /** What it begins with. Nothing of an earlier run of it is there. */
  readonly input: (state: State) => UpdateOf<C>
  /** What is written of where it ended. */
  readonly output: (end: StateOf<C>) => Update
}

/**
 * `nodes: { research: subgraph(research, { input: ({ question }) => ({ question }), output: ({ notes }) => ({ notes }) }) }`. A node
 * of it that has finished is not run again when another one asks or the node is tried again. The time limit and the tries are those
 * of the node as a whole, 60 s and one unless told otherwise; those of nodes inside are not kept. The node throws `step_limit`.
 */
export function subgraph<C extends Channels, State, Update>(
  { graph }: { readonly graph: Graph; compile(options?: CompileOptions): CompiledGraph<C> },
  { input, output, ...options }: Subgraph<C, State, Update>,
): PlainNode<State, Update, Context> {
  const inside = [...graph.nodes.values()]
  return {
    ...options,
    interrupts: inside.flatMap(({ interrupts = [] }) => interrupts),
    requires: [...new Set(inside.flatMap(({ requires = [] }) => requires))],
    async run(state, context) {
      const mint = (place: string) => {
        let count = 0
        return () => `${context.idempotencyKey}/${place}.${++count}`
      }
      let position = applyInput(graph, emptyPosition, input(state), mint('0'))
      for (let step = 1; position.due.length > 0; step++) {
        if (step > graph.stepLimit) throw tooMany(graph, context.node)
        const tasks = plan(graph, position, { deepFreeze: false })
        const writes = await Promise.all(tasks.map((task) => done(graph, task, step, context)))
        position = applyWrites(graph, position, writes, (index) => mint(`${step}:${index}`))
      }
      return output(stateView(graph, position.values) as StateOf<C>)
    },
  }
}

async function done(graph: Graph, { node, index, state }: Task, step: number, context: Context): Promise<TaskWrites> {
  const key = `${step}:${index}:${node.name}`
  const run = async () =>
    writesOf(graph, node.name, await node.run(state as never, innerContext(context, key) as never))
  const kept = parseWrites(await context.task(key, async () => writesText(await run())))
  // Kept by a version with another format: it is done again.
  return kept ?? (await run())
}

function tooMany({ stepLimit }: Graph, node: string): RecollectError {
  return new RecollectError(
    'step_limit',
    `The subgraph of node "${node}" took ${stepLimit} supersteps and did not end.`,
  )
}
