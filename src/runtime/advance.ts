// From one position to the end of a run: plan, run, apply, and again. It saves through what it is given and knows no storage.
import { applyEdit, applyInput, applyWrites, type Edit } from '../graph/apply.ts'
import type { MintId } from '../graph/channel.ts'
import type { Position } from '../graph/checkpoint.ts'
import type { Graph } from '../graph/graph.ts'
import { plan } from '../graph/plan.ts'
import type { TaskWrites } from '../graph/task-writes.ts'
import { RecollectError } from '../kernel/errors.ts'
import type { Question } from '../ports/approvals.ts'
import { heldBack } from './held-back.ts'
import type { Held, RunScope } from './run-scope.ts'
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
  /** `waiting`: it stops by itself. */
  commit(status: 'running' | 'success' | 'waiting'): Promise<void>
  /** What was finished of a superstep that failed. */
  keep(finished: readonly FinishedTask[]): void
  /** Commits that a superstep has to wait for answers, with what was finished of it. */
  suspend(questions: readonly Question[], finished: readonly FinishedTask[]): Promise<void>
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
  /** Where it waits by itself: `before:node`, `after:node`, with `*` for every node. */
  readonly stops: readonly string[]
  /** Whether the position was just reached by what was taken in. */
  readonly takesIn: boolean
  /** The first superstep, when it was begun before. */
  readonly ahead?: Promise<SuperstepResult> | undefined
}

/** What comes from outside: values to start with, or writes in a node's place. */
export type TakenIn = { readonly values: unknown } | { readonly edit: Edit }

/** Applies inputs, each a checkpoint of its own. None: the position's due tasks go on. */
export function takeIn(
  { graph, position: start, scope, progress }: Pick<Advance, 'graph' | 'position' | 'progress' | 'scope'>,
  inputs: readonly TakenIn[],
): Position {
  const mintId = inputMint(scope.run)
  return inputs.reduce<Position>((before, input) => {
    const position =
      'edit' in input ? applyEdit(graph, before, input.edit, mintId) : applyInput(graph, before, input.values, mintId)
    progress.record({ step: 0, position, writes: [] })
    return position
  }, start)
}

export interface Advanced {
  readonly status: 'success' | 'interrupted'
  readonly position: Position
}

export async function advance({ graph, scope, progress, deepFreeze, ahead, ...from }: Advance): Promise<Advanced> {
  let { position, step } = from
  let ran: readonly string[] = []
  // What was just taken in may be due at a node to stop before.
  let moved = from.takesIn
  while (position.due.length > 0) {
    if (moved && stopsAt(from.stops, ran, position)) {
      await progress.commit('waiting')
      return { status: 'interrupted', position }
    }
    const first = step === from.step
    const committing = moved && !first ? progress.commit('running') : undefined
    const goesOn = step < graph.stepLimit && isPure(graph, position)
    if (!goesOn) await committing
    if (step >= graph.stepLimit) throw tooManySteps(graph)
    step++
    const name = (first ? from.name : undefined) ?? { run: scope.run, step }
    const superstep = { step, name }
    const due = position
    const run = async (within: RunScope) => runTasks(graph, plan(graph, due, { deepFreeze }), superstep, within)
    const result = await ((first ? ahead : undefined) ??
      (goesOn && committing !== undefined ? duringCommit(committing, scope, run) : run(scope)))
    if (result.outcome === 'failed') {
      progress.keep(result.finished)
      throw result.failure
    }
    if (result.outcome === 'suspended') {
      await progress.suspend(result.questions, result.finished)
      return { status: 'interrupted', position }
    }
    const { writes } = result
    position = applyWrites(graph, position, writes, (index) =>
      mint(`${scope.run}:${superstep.step}:${index}:${scope.held.epoch}`),
    )
    progress.record({ step, position, writes, name })
    ran = writes.map(({ node }) => node)
    moved = true
  }
  await progress.commit('success')
  return { status: 'success', position }
}

function isPure(graph: Graph, { due }: Position): boolean {
  return due.every(({ node }) => graph.nodes.get(node)?.pure === true)
}

/** What a superstep without effects does is told, and what it would write is written, when the commit before it is there. */
async function duringCommit(
  committing: Promise<void>,
  scope: RunScope & { readonly held: Held },
  run: (within: RunScope) => Promise<SuperstepResult>,
): Promise<SuperstepResult> {
  const waiting = heldBack()
  const result = run({ ...scope, ...waiting.scope })
  // It is looked at only when the commit is there.
  result.catch(() => {})
  try {
    await committing
  } catch (error) {
    waiting.drop(error)
    throw error
  }
  waiting.keep(scope)
  return result
}

function stopsAt(stops: readonly string[], ran: readonly string[], { due }: Position): boolean {
  if (stops.length === 0) return false
  const has = (when: string, nodes: readonly string[]) =>
    nodes.length > 0 && (stops.includes(`${when}:*`) || nodes.some((node) => stops.includes(`${when}:${node}`)))
  return (
    has('after', ran) ||
    has(
      'before',
      due.map(({ node }) => node),
    )
  )
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
