// How a checkpoint came about: which nodes ran, what their model calls saw and answered, what was asked and who answered.
import { emptyPosition, type Position } from '../graph/checkpoint.ts'
import { type Comparison, compare } from '../graph/compare.ts'
import type { Graph } from '../graph/graph.ts'
import { stateView } from '../graph/plan.ts'
import { idsIn, type MessageRange, parseSeen, type SeenCall } from '../graph/seen.ts'
import { isRecord } from '../kernel/json.ts'
import type { ApprovalRecord } from '../ports/approvals.ts'
import type { Checkpointer } from '../ports/checkpointer.ts'
import type { AssistantMessage } from '../ports/model.ts'
import { type Read, readHistory, seqOf, type ThreadAddress, unknownCheckpoint } from './history.ts'

export interface StepReport {
  readonly at: Read
  /** In task order. None for what came from outside; where the checkpoint before was pruned, those that called a model. */
  readonly nodes: readonly string[]
  readonly calls: readonly CallReport[]
  /** What it changed; `undefined` where the checkpoint before was pruned. */
  readonly changes: Comparison | undefined
  readonly approvals: readonly ApprovalRecord[]
}

export interface CallReport extends Omit<SeenCall, 'view'> {
  readonly view: readonly (MessageRange & {
    /** `undefined` where the checkpoint before was pruned. */
    readonly ids: readonly string[] | undefined
  })[]
  readonly earlier: number
  /** As it is in the state; `undefined` where the node kept something else. */
  readonly answer: AssistantMessage | undefined
}

/** Throws `thread_unknown` and `checkpoint_unknown`. */
export async function readStep(
  checkpointer: Checkpointer,
  graph: Graph,
  address: ThreadAddress,
  checkpoint: string,
): Promise<StepReport> {
  const { tenant, thread, user: owner } = address
  const seq = seqOf(checkpoint)
  const [[at, parent], record] = await Promise.all([
    readHistory(checkpointer, address, { from: checkpoint, limit: 2 }),
    checkpointer.loadStep({ tenant, thread, owner, seq }),
  ])
  if (at === undefined || record === undefined) throw unknownCheckpoint(checkpoint, thread)
  const before = at.parent === undefined ? emptyPosition : parent?.position
  const seen = parseSeen(record.seen)
  const ran = before?.due.map(({ node }) => node) ?? [...new Set(seen.map(({ node }) => node))]
  return {
    at,
    nodes: at.step === 0 ? [] : ran,
    calls: seen.map((call) => reportOf(call, stateSeenBy(graph, before, call.task), at.position)),
    changes: before && compare(before, at.position),
    approvals: record.approvals,
  }
}

/** As it was planned for the task. */
function stateSeenBy(graph: Graph, before: Position | undefined, task: number) {
  return before && { ...stateView(graph, before.values), ...before.due[task]?.input }
}

function reportOf(
  { view, ...call }: SeenCall,
  state: Readonly<Record<string, unknown>> | undefined,
  { values }: Position,
): CallReport {
  const answer = Object.values(values)
    .flatMap((value) => (Array.isArray(value) ? value : []))
    .find((element: unknown) => isRecord(element) && element.role === 'assistant' && element.id === call.reply)
  const { model, usage, finishReason } = (answer ?? {}) as Partial<AssistantMessage>
  return {
    ...(model !== undefined && { model }),
    ...(usage !== undefined && { usage }),
    ...(finishReason !== undefined && { finishReason }),
    ...call,
    view: view.ranges.map((range) => ({ ...range, ids: idsIn(range, state) })),
    earlier: view.earlier,
    answer,
  }
}
