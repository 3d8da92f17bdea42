// The same request again, after its run has ended.
import { RecollectError } from '../kernel/errors.ts'
import type { Checkpointer } from '../ports/checkpointer.ts'
import type { RunRecord } from '../ports/run-records.ts'
import { positionAt } from './chain.ts'
import type { TurnResult } from './turn.ts'

/** Its answer, without running anything; or what it failed with. */
export async function answerOf(
  checkpointer: Checkpointer,
  { tenant, thread }: { readonly tenant: string; readonly thread: string },
  run: RunRecord,
): Promise<TurnResult> {
  if (run.status !== 'success' || run.answer === null) {
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
  return { run: run.run, seq: run.answer, position: positionAt(chain?.frames ?? []), afterwards: nothing }
}

async function nothing(): Promise<void> {}
