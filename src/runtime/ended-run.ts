// The same request again, after its run has ended.
import { RecollectError } from '../kernel/errors.ts'
import type { Checkpointer } from '../ports/checkpointer.ts'
import type { RunRecord } from '../ports/run-records.ts'
import { positionAt } from './chain.ts'
import type { TurnRequest, TurnResult } from './turn.ts'

/** Its answer, without running anything; or what it failed with. */
export async function answerOf(
  checkpointer: Checkpointer,
  { tenant, thread }: TurnRequest,
  run: RunRecord,
): Promise<TurnResult> {
  if (run.status !== 'success' || run.answer === null) {
    throw new RecollectError('run_failed', run.error?.message ?? `The run ended as "${run.status}".`, {
      details: { run: run.run, status: run.status, code: run.error?.code },
    })
  }
  const chain = await checkpointer.loadChain({ tenant, thread, owner: null, seq: run.answer, count: 1 })
  const position = positionAt(chain?.frames ?? [])
  return { run: run.run, seq: run.answer, position, afterwards: nothing }
}

async function nothing(): Promise<void> {}
