// One superstep: runs the tasks that are due at once, each with its retries and its time limit, and gives back what they wrote.
import { type TaskWrites, writesOf } from '../graph/apply.ts'
import type { Graph, GraphNode } from '../graph/graph.ts'
import type { Task } from '../graph/plan.ts'
import { asRecollectError, isRecollectError, RecollectError } from '../kernel/errors.ts'
import { type RunScope, TaskContext } from './context.ts'
import { frozenWrite } from './frozen-write.ts'

const defaultTimeoutMs = 60_000
const defaultDelayMs = 500

/**
 * Waits for all tasks, also when one has failed: what a sibling has begun is not torn. Then throws the first failure in
 * task order, so that the same run fails the same way twice.
 */
export async function runTasks(
  graph: Graph,
  tasks: readonly Task[],
  step: number,
  scope: RunScope,
): Promise<TaskWrites[]> {
  const [only] = tasks
  if (only !== undefined && tasks.length === 1) return [await runTask(graph, only, step, scope)]
  const settled = await Promise.allSettled(tasks.map((task) => runTask(graph, task, step, scope)))
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}

async function runTask(graph: Graph, task: Task, step: number, scope: RunScope): Promise<TaskWrites> {
  const { node } = task
  const attempts = node.retry?.attempts ?? 1
  for (let attempt = 1; ; attempt++) {
    try {
      return writesOf(graph, node.name, await runAttempt(task, step, attempt, scope))
    } catch (error) {
      const failure = failureOf(error, task, scope.signal)
      if (attempt >= attempts || scope.signal.aborted || !worthRetrying(failure)) throw failure
      scope.emit({ type: 'task-retried', step, node: node.name, attempt: attempt + 1, error: failure })
      await pause((node.retry?.delayMs ?? defaultDelayMs) * 2 ** (attempt - 1), scope.signal)
    }
  }
}

function runAttempt({ index, node, state }: Task, step: number, attempt: number, scope: RunScope): unknown {
  scope.signal.throwIfAborted()
  const context = new TaskContext(scope, { step, index, node: node.name, attempt })
  let returned: unknown
  try {
    returned = node.run(state as never, context as never)
  } catch (error) {
    context.close()
    throw error
  }
  if (isThenable(returned)) return limited(Promise.resolve(returned), node, context, scope.signal)
  context.close()
  return returned
}

/** The node's own promise, or the end of its time, or the end of the run: whichever comes first. */
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
