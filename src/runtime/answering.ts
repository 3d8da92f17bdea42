// Answers to what runs have asked: checked against the question, and taken once.
import type { Graph } from '../graph/graph.ts'
import { RecollectError } from '../kernel/errors.ts'
import { assertPrincipal, randomId } from '../kernel/id.ts'
import { decode, encode } from '../kernel/json.ts'
import { validate } from '../kernel/schema.ts'
import type { AnswerOutcome, ApprovalRecord } from '../ports/approvals.ts'
import type { Checkpointer } from '../ports/checkpointer.ts'
import { resend } from './resend.ts'

export interface Answerer {
  readonly tenant: string
  /** Whose threads they may see; `null`: all of the tenant. */
  readonly user: string | null
  /** Who they are: it is kept with the answer. */
  readonly by: string
  /** Whether they may answer what asks for an approver. */
  readonly approver: boolean
  /** The road it comes by, such as `api`: it is kept too. */
  readonly via: string
}

export interface GivenAnswer {
  /** Of the approval. */
  readonly id: string
  /** Checked by the schema of the question. */
  readonly answer: unknown
  /** The same answer sent again with the same key is taken once, and told the same. */
  readonly key?: string
  /** True: the key is the id of a webhook, which is remembered for days. */
  readonly webhook?: boolean
  /** The run that has asked, as far as the answerer knows: its question may be on its way. */
  readonly run?: string
}

/** `repeated`: it was taken before. */
export interface TakenAnswer {
  readonly outcome: 'accepted' | 'repeated'
  readonly approval: ApprovalRecord
}

const patienceMs = 5_000
const earlyMs = 1_000

/**
 * Throws `approval_unknown`, `approval_early`, `approval_forbidden`, `approval_answered`, `approval_expired`, `approval_cancelled`, and
 * `input_invalid` for an answer that the question does not take, `interrupt_unknown` where the graph no longer asks it. None of these
 * changes anything.
 */
export async function takeAnswer(
  { approvals }: Checkpointer,
  graphNamed: (name: string) => Graph | undefined,
  { tenant, user: owner, by, approver, via }: Answerer,
  { id, answer, key, webhook = false, run }: GivenAnswer,
): Promise<TakenAnswer> {
  assertPrincipal('tenant', tenant)
  assertPrincipal('user', by)
  const approval = await resend(() => approvals.get({ tenant, owner }, id), patienceMs)
  let refused: unknown
  let text: string | null = null
  try {
    if (approval !== undefined) text = await checked(graphNamed, approval, answer)
  } catch (error) {
    refused = error
  }
  const request = {
    tenant,
    id,
    owner,
    by,
    approver,
    via,
    answer: text,
    token: key ?? randomId(),
    webhook,
    run: run ?? null,
  }
  const outcome = await resend(() => approvals.answer(request), patienceMs)
  if (outcome.outcome === 'accepted' || outcome.outcome === 'repeated') return { ...outcome, outcome: outcome.outcome }
  if (outcome.outcome === 'invalid') throw refused
  throw refusalOf(id, outcome)
}

async function checked(
  graphNamed: (name: string) => Graph | undefined,
  { graph: name, node, kind, payload }: ApprovalRecord,
  answer: unknown,
): Promise<string> {
  const question = graphNamed(name)
    ?.nodes.get(node)
    ?.interrupts?.find((asked) => asked.name === kind)
  if (question === undefined) {
    throw new RecollectError(
      'interrupt_unknown',
      `Node "${node}" of graph "${name}" no longer asks "${kind}": deploy a graph that does, or cancel the run.`,
    )
  }
  const failure = { code: 'input_invalid', what: `The answer to "${kind}"` } as const
  const valid = await validate(question.answer, answer, failure)
  // What was shown was valid for the question's own schema.
  const misfit = await question.misfit?.(valid as never, decode(payload) as never)
  if (misfit !== undefined) throw new RecollectError('input_invalid', misfit)
  return encode(valid)
}

type Refused = Exclude<AnswerOutcome, { outcome: 'accepted' | 'repeated' | 'invalid' }> | AnswerOutcome

function refusalOf(id: string, refused: Refused): RecollectError {
  const { outcome } = refused
  const details =
    'approval' in refused ? { status: refused.approval.status, answeredAt: refused.approval.answeredAt } : {}
  switch (outcome) {
    case 'early':
      return new RecollectError(
        'approval_early',
        `The run has not asked "${id}" yet. Send the answer again in a moment.`,
        {
          retryAfterMs: earlyMs,
        },
      )
    case 'forbidden':
      return new RecollectError('approval_forbidden', `Approval "${id}" is for somebody else to answer.`)
    case 'answered':
      return new RecollectError('approval_answered', `Approval "${id}" was answered before; the first answer counts.`, {
        details,
      })
    case 'expired':
      return new RecollectError(
        'approval_expired',
        `Approval "${id}" has expired: its run goes on without an answer.`,
        { details },
      )
    case 'cancelled':
      return new RecollectError('approval_cancelled', `Approval "${id}" is no longer asked: its run has ended.`, {
        details,
      })
    default:
      return new RecollectError('approval_unknown', `There is no approval "${id}".`)
  }
}
