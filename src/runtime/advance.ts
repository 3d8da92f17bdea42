// From one position to the end of a run: plan, run, apply, and again. It saves through what it is given and knows no storage.
import { applyInput, applyWrites, type TaskWrites } from '../graph/apply.ts'
import type { MintId } from '../graph/channel.ts'
import type { Position } from '../graph/checkpoint.ts'
import type { Graph } from '../graph/graph.ts'
import { plan } from '../graph/plan.ts'
import { RecollectError } from '../kernel/errors.ts'
import type { RunScope } from './context.ts'
import { runTasks } from './superstep.ts'

export interface Recorded {
  /** 0 is the input. */
  readonly step: number
  readonly position: Position
  readonly writes: readonly TaskWrites[]
}

/** Where steps go. What is recorded is saved with the next commit. */
export interface Progress {
  record(recorded: Recorded): void
  commit(status: 'running' | 'success'): Promise<void>
}

export interface Advance {
  readonly graph: Graph
  readonly position: Position
  /** Supersteps done before. */
  readonly step: number
  /** None: the position's due tasks go on. */
  readonly inputs: readonly unknown[]
  readonly scope: RunScope & { readonly epoch: number }
  readonly progress: Progress
  readonly deepFreeze: boolean
  /** The first superstep, when it was begun before. */
  readonly ahead?: { readonly position: Position; readonly writes: Promise<readonly TaskWrites[]> } | undefined
}

export async function advance({
  graph,
  inputs,
  scope,
  progress,
  deepFreeze,
  ahead,
  ...from
}: Advance): Promise<Position> {
  let { position, step } = from
  const mintId = inputMint(scope.run)
  for (const input of inputs) {
    position = ahead?.position ?? applyInput(graph, position, input, mintId)
    progress.record({ step: 0, position, writes: [] })
  }
  while (position.due.length > 0) {
    if (step >= graph.stepLimit) throw tooManySteps(graph)
    step++
    const begun = step === 1 ? ahead?.writes : undefined
    const writes = await (begun ?? runTasks(graph, plan(graph, position, { deepFreeze }), step, scope))
    const superstep = step
    position = applyWrites(graph, position, writes, (index) =>
      mint(`${scope.run}:${superstep}:${index}:${scope.epoch}`),
    )
    progress.record({ step, position, writes })
    if (position.due.length > 0) await progress.commit('running')
  }
  await progress.commit('success')
  return position
}

/** Of the messages that come with a run. They are the same whoever claims it. */
export function inputMint(run: string): MintId {
  return mint(`${run}:0`)
}

/** Ids that a repeated application of the same writes makes again. */
function mint(prefix: string): MintId {
  let count = 0
  return () => {
    count++
    return `${prefix}.${count}`
  }
}

function tooManySteps(graph: Graph): RecollectError {
  return new RecollectError(
    'step_limit',
    `The run took ${graph.stepLimit} supersteps and was not at its end. If that is no loop, raise stepLimit in the graph.`,
  )
}
