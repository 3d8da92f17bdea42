// From one position to the end of a run: plan, run, apply, and again. It saves through what it is given and knows no storage.
import { applyInput, applyWrites } from '../graph/apply.ts'
import type { MintId } from '../graph/channel.ts'
import type { Position } from '../graph/checkpoint.ts'
import type { Graph } from '../graph/graph.ts'
import { plan } from '../graph/plan.ts'
import type { TaskWrites } from '../graph/task-writes.ts'
import { RecollectError } from '../kernel/errors.ts'
import type { Held, RunScope } from './context.ts'
import { type FinishedTask, runTasks, type SuperstepName, type SuperstepResult } from './superstep.ts'

export interface Recorded {
  /** 0 is the input. */
  readonly step: number
  readonly position: Position
  readonly writes: readonly TaskWrites[]
  /** What its messages are named by; absent for an input, which sends none. */
  readonly name?: SuperstepName
}

/** Where steps go. What is recorded is saved with the next commit. */
export interface Progress {
  record(recorded: Recorded): void
  commit(status: 'running' | 'success'): Promise<void>
  /** What was finished of a superstep that failed. */
  keep(finished: readonly FinishedTask[]): void
}

export interface Advance {
  readonly graph: Graph
  readonly position: Position
  /** Supersteps done before. */
  readonly step: number
  /** The name of the first superstep; the run's own unless told otherwise. */
  readonly name?: SuperstepName
  readonly scope: RunScope & { readonly held: Held }
  readonly progress: Progress
  readonly deepFreeze: boolean
  /** The first superstep, when it was begun before. */
  readonly ahead?: Promise<SuperstepResult> | undefined
}

/** Applies inputs, each a checkpoint of its own. None: the position's due tasks go on. */
export function takeIn(
  { graph, position: start, scope, progress }: Pick<Advance, 'graph' | 'position' | 'progress' | 'scope'>,
  inputs: readonly unknown[],
): Position {
  const mintId = inputMint(scope.run)
  return inputs.reduce<Position>((before, input) => {
    const position = applyInput(graph, before, input, mintId)
    progress.record({ step: 0, position, writes: [] })
    return position
  }, start)
}

export async function advance({ graph, scope, progress, deepFreeze, ahead, ...from }: Advance): Promise<Position> {
  let { position, step } = from
  while (position.due.length > 0) {
    if (step >= graph.stepLimit) throw tooManySteps(graph)
    const first = step === from.step
    step++
    const name = (first ? from.name : undefined) ?? { run: scope.run, step }
    const result = await ((first ? ahead : undefined) ??
      runTasks(graph, plan(graph, position, { deepFreeze }), { step, name }, scope))
    if (result.failure !== undefined) {
      progress.keep(result.finished)
      throw result.failure
    }
    const { writes } = result
    const superstep = step
    position = applyWrites(graph, position, writes, (index) =>
      mint(`${scope.run}:${superstep}:${index}:${scope.held.epoch}`),
    )
    progress.record({ step, position, writes, name })
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
