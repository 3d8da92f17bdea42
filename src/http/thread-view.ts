// Threads, their states and their runs as the LangGraph wire shows them.

import { type ErrorCode, isRecollectError, RecollectError } from '../kernel/errors.ts'
import type { ThreadKey } from '../ports/checkpointer.ts'
import type { RunRecord, RunStatus } from '../ports/run-records.ts'
import type { ThreadRecord } from '../ports/thread-records.ts'
import type { CompiledGraph } from '../runtime/compiled-graph.ts'
import type { PendingInterrupt } from '../runtime/events.ts'
import type { StateSnapshot } from '../runtime/history.ts'
import { assistantIdOf } from './assistants.ts'
import type { Output } from './lazily.ts'
import type { Checkpoint, Interrupt, Run, Thread, ThreadState } from './schemas.ts'
import type { Service } from './service.ts'
import { wireValues } from './wire-messages.ts'

type WireCheckpoint = Output<typeof Checkpoint>

type WireInterrupt = Output<typeof Interrupt>
type Head = Pick<Output<typeof Thread>, 'values' | 'interrupts'>

export function wireThread(record: ThreadRecord, head: Head): Output<typeof Thread> {
  const { thread, createdAt, updatedAt, metadata, status } = record
  return {
    thread_id: thread,
    created_at: createdAt,
    updated_at: updatedAt,
    state_updated_at: updatedAt,
    metadata,
    status,
    config: {},
    ...head,
  }
}

/**
 * The values at a thread's head, in their wire form, and what is asked there. Nothing before its first run, and where its graph
 * is not deployed or the thread was deleted meanwhile: a list must not fail for one of its threads.
 */
export async function headOf(
  service: Service,
  { tenant, thread, owner }: ThreadKey,
  record: ThreadRecord,
): Promise<Head> {
  try {
    if (record.head === 0) return emptyHead
    const graph = graphOfThread(service, record)
    const { values, tasks } = wireState(graph, thread, await graph.state({ tenant, thread, user: owner }))
    const asking = tasks.filter(({ interrupts }) => interrupts.length > 0)
    return { values, interrupts: Object.fromEntries(asking.map(({ id, interrupts }) => [id, interrupts])) }
  } catch (error) {
    if (isRecollectError(error) && absent.includes(error.code)) return emptyHead
    throw error
  }
}

/** Of a thread without a state. */
export const emptyHead: Head = { values: {}, interrupts: {} }

const absent: readonly ErrorCode[] = ['graph_unknown', 'thread_unknown']

/** The graph that ran last in the thread: the one that knows its channels. */
export function graphOfThread({ graphs }: Service, { graph, thread }: ThreadRecord): CompiledGraph {
  const found = graph === null ? Object.values(graphs)[0] : graphs[graph]
  if (found !== undefined) return found
  throw new RecollectError(
    'graph_unknown',
    `Thread "${thread}" belongs to the graph "${graph}", which is not deployed. Deploy it, or delete the thread.`,
  )
}

export function graphOfRun({ graphs }: Service, { run, graph }: Pick<RunRecord, 'run' | 'graph'>): CompiledGraph {
  const found = Object.hasOwn(graphs, graph) ? graphs[graph] : undefined
  if (found !== undefined) return found
  throw new RecollectError(
    'graph_unknown',
    `Run "${run}" is of the graph "${graph}", which is not deployed. Deploy it.`,
  )
}

export function wireState(graph: CompiledGraph, thread: string, snapshot: StateSnapshot): Output<typeof ThreadState> {
  const { values, next, run, step, source, createdAt, checkpoint, parent } = snapshot
  const fresh = createdAt === ''
  return {
    values: fresh ? {} : wireValues(graph.graph, values),
    next: [...next],
    tasks: next.map((name, index) => ({
      id: `${checkpoint}:${index}`,
      name,
      path: pathOf(next, index),
      error: null,
      interrupts: snapshot.interrupts.filter(({ task }) => task === index).map(wireInterrupt),
      checkpoint: null,
      state: null,
      result: null,
    })),
    metadata: fresh ? {} : { source, step, run_id: run, graph_id: graph.name, thread_id: thread },
    created_at: fresh ? null : createdAt,
    checkpoint: wireCheckpoint(thread, fresh ? null : checkpoint),
    parent_checkpoint: parent === undefined ? null : wireCheckpoint(thread, parent),
    interrupts: snapshot.interrupts.map(wireInterrupt),
  }
}

/** Several tasks of one node can only have been sent. */
function pathOf(next: readonly string[], index: number): (string | number)[] {
  const name = next[index] ?? ''
  return next.indexOf(name) === next.lastIndexOf(name) ? ['__pregel_pull', name] : ['__pregel_push', index]
}

export function wireInterrupt({ id, node, kind, payload }: PendingInterrupt): WireInterrupt {
  return { id, value: payload, kind, node }
}

export function wireCheckpoint(thread: string, checkpoint: string | null): WireCheckpoint {
  return { thread_id: thread, checkpoint_ns: '', checkpoint_id: checkpoint, checkpoint_map: null }
}

const runStatus = {
  running: 'running',
  success: 'success',
  error: 'error',
  dead: 'error',
  cancelled: 'interrupted',
  queued: 'pending',
  interrupted: 'interrupted',
  waiting: 'interrupted',
} as const satisfies Record<RunStatus, string>

export async function wireRun({
  run,
  thread,
  graph,
  status,
  createdAt,
  updatedAt,
}: RunRecord): Promise<Output<typeof Run>> {
  return {
    run_id: run,
    thread_id: thread,
    assistant_id: await assistantIdOf(graph),
    created_at: createdAt,
    updated_at: updatedAt,
    status: runStatus[status],
    metadata: {},
    kwargs: {},
    multitask_strategy: 'reject',
  }
}
