// A run without a thread: nothing is stored, and nothing can be gone back to.
import { emptyPosition, type Position } from '../graph/checkpoint.ts'
import type { Graph } from '../graph/graph.ts'
import { stateView } from '../graph/plan.ts'
import { asRecollectError } from '../kernel/errors.ts'
import { advance, type Progress, takeIn } from './advance.ts'
import type { Emit } from './events.ts'
import type { Held, RunScope } from './run-scope.ts'
import { TaskParts } from './task-parts.ts'

type Place = Omit<RunScope, 'thread' | 'held' | 'topics'>

/** `input`: `null` for none. Throws what the run failed with. */
export async function runForgotten(
  graph: Graph,
  input: unknown,
  { deepFreeze, ...place }: Place & { readonly deepFreeze: boolean },
): Promise<Position> {
  const { run, emit } = place
  const held: Held = { epoch: 0, claim: undefined, parts: new TaskParts(async ({ value }) => value) }
  const scope = { ...place, thread: undefined, held, topics: undefined }
  emit({ type: 'run-started', run, thread: undefined, epoch: 0, step: 0, seq: 0, storageMs: 0, speculation: 'none' })
  try {
    const start = { graph, position: emptyPosition, scope, progress: untold(graph, emit) }
    const inputs = input === null ? [] : [{ values: input }]
    const from = { position: takeIn(start, inputs), step: 0, stops: [], takesIn: false }
    const { position } = await advance({ ...start, ...from, deepFreeze })
    emit({ type: 'run-finished', run, seq: 0, values: stateView(graph, position.values) })
    return position
  } catch (error) {
    const failure = asRecollectError(error, 'internal', 'The run failed for a reason that recollect does not know.')
    emit({ type: 'run-failed', run, error: failure })
    throw failure
  }
}

/** It only tells. */
function untold(graph: Graph, emit: Emit): Progress {
  return {
    record: ({ step, position, writes }) => {
      const next = position.due.map(({ node }) => node)
      emit({ type: 'checkpoint-saved', seq: 0, step, values: stateView(graph, position.values), writes, next })
    },
    commit: () => Promise.resolve(),
    keep: () => {},
    suspend: () => Promise.resolve(),
  }
}
