// How a run ended: as its last event, and again for the same request after it has ended.
import type { Graph } from '../graph/graph.ts'
import { stateView } from '../graph/plan.ts'
import { RecollectError } from '../kernel/errors.ts'
import { decode } from '../kernel/json.ts'
import type { Question } from '../ports/approvals.ts'
import type { Checkpointer } from '../ports/checkpointer.ts'
import type { RunRecord } from '../ports/run-records.ts'
import { positionAt } from './chain.ts'
import type { PendingInterrupt, RunEvent } from './events.ts'
import type { TurnResult } from './turn-request.ts'

export function endOf(graph: Graph, end: Omit<TurnResult, 'afterwards'>): RunEvent {
  const { run, seq, status, interrupts } = end
  const values = stateView(graph, end.position.values)
  return status === 'success'
    ? { type: 'run-finished', run, seq, values }
    : { type: 'run-interrupted', run, seq, values, interrupts }
}

type Shown = Pick<Question, 'id' | 'task' | 'node' | 'kind' | 'payload'>

export function pendingInterrupt({ id, task, node, kind, payload }: Shown): PendingInterrupt {
  return { id, task, node, kind, payload: decode(payload) }
}

interface Place {
  readonly tenant: string
  readonly thread: string
}

/** What a run has asked and nobody has answered yet. */
export async function openInterrupts(
  { approvals }: Checkpointer,
  { tenant, thread }: Place,
  run: string,
): Promise<PendingInterrupt[]> {
  const search = { tenant, thread, run, owner: null, status: 'pending', limit: 100, offset: 0 } as const
  const open = await approvals.list(search)
  return open.map(pendingInterrupt).reverse()
}

/** Its answer, without running anything; or what it failed with. */
export async function answerOf(
  checkpointer: Checkpointer,
  { tenant, thread }: Place,
  run: RunRecord,
): Promise<TurnResult> {
  if (!['success', 'waiting'].includes(run.status) || run.answer === null) {
    throw new RecollectError('run_failed', run.error?.message ?? `The run ended as "${run.status}".`, {
      details: { run: run.run, status: run.status, code: run.error?.code },
    })
  }
  const chain = await checkpointer.loadChain({ tenant, thread, owner: null, seq: run.answer, count: 1 })
  // A run that had nothing to do on a thread without a checkpoint has checkpoint 0 for an answer.
  if (run.answer > 0 && !chain?.frames.length) {
    throw new RecollectError(
      'checkpoint_unknown',
      `Run "${run.run}" has ended, and its answer, checkpoint ${run.answer}, was deleted since. Read the thread.`,
    )
  }
  const interrupts = run.status === 'waiting' ? await openInterrupts(checkpointer, { tenant, thread }, run.run) : []
  const status = run.status === 'waiting' ? 'interrupted' : 'success'
  const end = { run: run.run, status, interrupts, seq: run.answer } as const
  return { ...end, position: positionAt(chain?.frames ?? []), afterwards: nothing }
}

async function nothing(): Promise<void> {}
