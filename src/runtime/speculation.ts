// Speculation: the first superstep on the cached state, while Postgres is still being asked whether that is the state.
// Nothing of it is told, written or committed before the claim has answered; a wrong guess costs its model call.
import { applyInput } from '../graph/apply.ts'
import { plan } from '../graph/plan.ts'
import { RecollectError } from '../kernel/errors.ts'
import { inputMint } from './advance.ts'
import { type HeldBack, heldBack } from './held-back.ts'
import type { House } from './house.ts'
import { type Remembering, remembering } from './remembering.ts'
import { runTasks, type SuperstepResult } from './superstep.ts'
import type { Candidate } from './thread-cache.ts'
import type { TurnRequest, TurnRun } from './turn-request.ts'

/** A first superstep that has begun before its time. */
export interface Ahead {
  readonly result: Promise<SuperstepResult>
  /** What it has recalled. */
  readonly known: Remembering['known']
  /** The guess was right: what was held back is told, and the run's end is the tasks' end. */
  readonly keep: HeldBack['keep']
  drop(): void
}

/** Whether it begins at the head, with values, and stops nowhere by itself. */
function isPlain({ kind = 'input', forkFrom, stops = [] }: TurnRun): boolean {
  return kind === 'input' && forkFrom === undefined && stops.length === 0
}

/** `undefined` when there is nothing to run ahead, or when a task that is due is not pure. */
export function runAhead(house: House, request: TurnRequest, candidate: Candidate): Ahead | undefined {
  const { run, user, tenant, thread } = request
  if (run === undefined || run.input === null || user === null || !isPlain(run)) return undefined
  const { graph, deepFreeze, env, model, topics } = house
  const position = applyInput(graph, candidate.position, run.input, inputMint(run.id))
  const tasks = plan(graph, position, { deepFreeze })
  if (tasks.length === 0 || !tasks.every(({ node }) => node.pure === true)) return undefined

  const waiting = heldBack()
  const memory = remembering(house, request.defer)
  const place = { tenant, user, thread, run: run.id }
  const scope = { ...place, ...waiting.scope, topics, env, model, remembering: memory }
  return {
    result: runTasks(graph, tasks, { step: 1, name: { run: run.id, step: 1 } }, scope),
    known: memory.known,
    keep: waiting.keep,
    drop: () => {
      waiting.drop(new RecollectError('run_fenced', 'The cached state was not the thread’s: this was a guess.'))
    },
  }
}
