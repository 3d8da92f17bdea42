// Questions as the contract asks and answers them.
import { expect } from 'vitest'
import { randomId } from '../../../src/kernel/id.ts'
import type { AnswerApproval, AnswerOutcome, ApprovalSearch, Question } from '../../../src/ports/approvals.ts'
import type { Checkpointer, ThreadKey } from '../../../src/ports/checkpointer.ts'
import { claim, committed, request, type Tip, tipOf } from './turn.ts'

/** Of node `ask`, to an approver. */
export function question(change: Partial<Question> = {}): Question {
  return {
    ...{ id: `ap-${randomId()}`, task: 0, node: 'ask', key: 'review:hash:0', kind: 'review', payload: '{"cents":900}' },
    ...{ answerer: 'approver', approvers: null, notRequester: false, expiresInMs: null },
    ...change,
  }
}

/** A run whose first superstep waits for answers to `questions`, behind its input, checkpoint 1 of a fresh thread. */
export async function waiting(
  checkpointer: Checkpointer,
  at: ThreadKey,
  questions: readonly Question[],
  run = 'run-1',
): Promise<Tip> {
  const begin = request(at, run)
  const tip = tipOf(begin, await claim(checkpointer, begin))
  return committed(checkpointer, tip, 0, ['input'], { status: 'waiting', questions })
}

/** By an approver of the tenant. */
export function answering(
  { tenant }: Pick<ThreadKey, 'tenant'>,
  id: string,
  change: Partial<AnswerApproval> = {},
): AnswerApproval {
  return {
    ...{ tenant, id, owner: null, by: 'boss', approver: true, via: 'api', answer: '{"approved":true}' },
    ...{ token: randomId(), webhook: false, run: null },
    ...change,
  }
}

export async function outcomeOf(answer: Promise<AnswerOutcome>): Promise<AnswerOutcome['outcome']> {
  return (await answer).outcome
}

/** What is told without its times. */
export async function statusOf(checkpointer: Checkpointer, at: ThreadKey, id: string) {
  return (await checkpointer.approvals.get({ tenant: at.tenant, owner: null }, id))?.status
}

/** Outcome after outcome, oldest first. */
export async function attemptsOf(checkpointer: Checkpointer, { tenant }: ThreadKey, id: string): Promise<string[]> {
  const attempts = await checkpointer.approvals.attempts(tenant, id)
  for (const { at } of attempts) expect(at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  return attempts.map(({ by, via, outcome }) => `${by} ${via} ${outcome}`)
}

export function listing({ tenant }: Pick<ThreadKey, 'tenant'>, change: Partial<ApprovalSearch> = {}): ApprovalSearch {
  return { tenant, owner: null, thread: null, run: null, status: null, limit: 100, offset: 0, ...change }
}
