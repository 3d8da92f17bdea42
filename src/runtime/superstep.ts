// One superstep: runs the tasks that are due at once, each with its retries and its time limit, and gives back what they wrote.
import { writesOf } from '../graph/apply.ts'
import type { Graph, GraphNode } from '../graph/graph.ts'
import type { Task } from '../graph/plan.ts'
import type { TaskWrites } from '../graph/task-writes.ts'
import { asRecollectError, isRecollectError, RecollectError } from '../kernel/errors.ts'
import type { Question } from '../ports/approvals.ts'
import { frozenWrite } from './frozen-write.ts'
import { isHeld, type RunScope } from './run-scope.ts'
import { TaskContext } from './task-context.ts'

const defaultTimeoutMs = 60_000
const defaultDelayMs = 500

export interface Superstep {
  /** In the run, from 1. */
  readonly step: number
  /** What it is known by outside: of a run that continues a failed one, that one's. */
  readonly name: SuperstepName
}

export interface SuperstepName {
  readonly run: string
  readonly step: number
}

/** `finished`: what those tasks wrote that neither failed nor ask. */
export type SuperstepResult =
  | { readonly outcome: 'finished'; readonly writes: readonly TaskWrites[] }
  | { readonly outcome: 'failed'; readonly failure: RecollectError; readonly finished: readonly FinishedTask[] }
  | {
      readonly outcome: 'suspended'
      readonly questions: readonly Question[]
      readonly finished: readonly FinishedTask[]
    }

/**
 * Waits for all tasks, also when one has failed: what a sibling has begun is not torn (T5). The failure is the first in task
 * order, so that the same run fails the same way twice. A task that has finished before is not run again, nor is one that waits
 * for an answer.
 */
export async function runTasks(
  graph: Graph,
  tasks: readonly Task[],
  superstep: Superstep,
  scope: RunScope,
): Promise<SuperstepResult> {
  const results = await Promise.all(tasks.map((task) => settled(graph, task, superstep, scope)))
  const finished = results.filter((result) => 'writes' in result)
  if (finished.length === results.length) return { outcome: 'finished', writes: finished.map(({ writes }) => writes) }
  const failed = results.find((result) => 'failure' in result)
  if (failed !== undefined) return { outcome: 'failed', failure: failed.failure, finished }
  const questions = results.flatMap((result) => ('questions' in result ? result.questions : []))
  return { outcome: 'suspended', questions, finished }
}

export interface FinishedTask {
  readonly task: number
  readonly writes: TaskWrites
}

interface SuspendedTask {
  readonly questions: readonly Question[]
}

/** Never rejects. */
async function settled(
  graph: Graph,
  task: Task,
  superstep: Superstep,
  scope: RunScope,
): Promise<FinishedTask | SuspendedTask | { readonly failure: RecollectError }> {
  const { index, node } = task
  const parts = isHeld(scope.held) ? scope.held.parts : undefined
  const before = parts?.finished(superstep.step, index, node.name)
  if (before !== undefined) return { task: index, writes: before }
  if (parts?.isWaiting(superstep.step, index)) return { questions: [] }
  try {
    return await runTask(graph, task, superstep, scope)
  } catch (failure) {
    return { failure: failureOf(failure, task, scope.signal) }
  }
}

async function runTask(
  graph: Graph,
  task: Task,
  superstep: Superstep,
  scope: RunScope,
): Promise<FinishedTask | SuspendedTask> {
  const { index, node, state } = task
  const { interrupts = [] } = node
  const attempts = node.retry?.attempts ?? 1
  for (let attempt = 1; ; attempt++) {
    const context = new TaskContext(scope, { ...superstep, index, node: node.name, attempt, state, interrupts })
    try {
      scope.signal.throwIfAborted()
      const returned = await runAttempt(task, context, scope.signal)
      const { sent, calls } = context
      const { questions } = context.asking
      if (questions.length > 0) return { questions }
      const writes = writesOf(graph, node.name, returned)
      if (sent.length === 0 && calls.length === 0) return { task: index, writes }
      return {
        task: index,
        writes: { ...writes, ...(sent.length > 0 && { sent }), ...(calls.length > 0 && { calls }) },
      }
    } catch (error) {
      const failure = failureOf(error, task, scope.signal)
      if (attempt >= attempts || scope.signal.aborted || !worthRetrying(failure)) throw failure
      scope.emit({ type: 'task-retried', step: superstep.step, node: node.name, attempt: attempt + 1, error: failure })
      await pause((node.retry?.delayMs ?? defaultDelayMs) * 2 ** (attempt - 1), scope.signal)
    }
  }
}

function runAttempt({ node, state }: Task, context: TaskContext, ended: AbortSignal): unknown {
  let returned: unknown
  try {
    returned = node.run(state as never, context as never)
  } catch (error) {
    context.close()
    throw error
  }
  if (isThenable(returned)) return limited(Promise.resolve(returned), node, context, ended)
  context.close()
  return returned
}

/** The node's own promise, or its question, or the end of its time, or the end of the run: whichever comes first. */
function limited(
  returned: Promise<unknown>,
  node: GraphNode,
  context: TaskContext,
  ended: AbortSignal,
): Promise<unknown> {
  const timeoutMs = node.timeoutMs ?? defaultTimeoutMs
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void, reason?: unknown) => {
      clearTimeout(timer)
      ended.removeEventListener('abort', stop)
      context.close(reason)
      finish()
    }
    const stop = () => settle(() => reject(ended.reason), ended.reason)
    const timeout = () => {
      const error = new RecollectError(
        'node_timeout',
        `Node "${node.name}" took longer than ${timeoutMs} ms. Raise its timeoutMs, or let it heed context.signal.`,
      )
      settle(() => reject(error), error)
    }
    context.asking.onSuspended = () => settle(() => resolve(undefined))
    const timer = Number.isFinite(timeoutMs) ? setTimeout(timeout, timeoutMs) : undefined
    // Listened to in any case: nobody else would, and its late failure would be unhandled.
    returned.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    )
    if (ended.aborted) stop()
    else ended.addEventListener('abort', stop)
  })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function failureOf(error: unknown, { node, state }: Task, ended: AbortSignal): RecollectError {
  if (isRecollectError(error)) return error
  if (ended.aborted && error === ended.reason) return new RecollectError('run_cancelled', 'The run was cancelled.')
  const name = error instanceof Error ? error.name : typeof error
  return (
    frozenWrite(error, node.name, state) ?? asRecollectError(error, 'node_failed', `Node "${node.name}" threw ${name}.`)
  )
}

/** Foreign errors may pass; ours say themselves whether they do. */
function worthRetrying(failure: RecollectError): boolean {
  return failure.retryable || failure.code === 'node_failed'
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
