// Approvals: what runs have asked of people, and how a person with a token answers.

import * as z from 'zod/mini'
import { RecollectError } from '../kernel/errors.ts'
import { decode } from '../kernel/json.ts'
import type { ApprovalAttempt, ApprovalRecord } from '../ports/approvals.ts'
import { answered, answererOf } from './answers.ts'
import { lazily, type Output } from './lazily.ts'
import { Anything, DateTime, Flag, Text } from './plain.ts'
import { type Route, route } from './route.ts'
import { idempotencyKeyOf } from './run-key.ts'
import { numberText } from './schemas.ts'
import type { Principal } from './service.ts'
import { json } from './wire.ts'

const tag = 'Approvals'
const statuses = lazily(() => z.enum(['pending', 'answered', 'expired', 'cancelled']))

export const Approval = lazily(() =>
  z.strictObject({
    id: Text,
    status: statuses(),
    thread_id: Text,
    run_id: Text,
    graph_id: Text,
    checkpoint_id: Text,
    node: Text,
    kind: Text,
    payload: Anything,
    requester: Text,
    answerer: z.enum(['owner', 'approver']),
    approvers: z.nullable(z.array(Text)),
    not_requester: Flag,
    answer: Anything,
    answered_by: z.nullable(Text),
    answered_via: z.nullable(Text),
    answered_at: z.nullable(DateTime),
    expires_at: z.nullable(DateTime),
    created_at: DateTime,
  }),
)

const Attempt = lazily(() => z.strictObject({ at: DateTime, by: Text, via: Text, outcome: Text }))
const ApprovalWithAttempts = lazily(() => z.extend(Approval(), { attempts: z.array(Attempt()) }))

export const TakenAnswerSchema = lazily(() =>
  z.strictObject({ outcome: z.enum(['accepted', 'repeated']), approval: Approval() }),
)

export const refusals = {
  403: { description: 'It is for somebody else to answer' },
  404: { description: 'There is no such approval, or it is not to be seen with this token' },
  409: {
    description: 'It was answered before, has expired, or is no longer asked; or it is not asked yet (`retry-after`)',
  },
  422: { description: 'The answer is not such as the question takes; it stays open' },
} as const

export const approvalRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/approvals',
    scopes: ['chat', 'approve', 'operate'],
    tag,
    summary: 'What runs have asked, newest first',
    description: 'With the scope `approve` or `operate` of the whole tenant, else of own threads.',
    query: () =>
      z.object({
        status: z.optional(statuses()),
        thread_id: z.optional(Text),
        run_id: z.optional(Text),
        limit: numberText(),
        offset: numberText(),
      }),
    responses: { 200: { description: 'Those of one page', schema: () => z.array(Approval()) } },
    handle: async (call) => {
      const { status = null, thread_id: thread = null, run_id: run = null, limit = '20', offset = '0' } = call.query
      if (Number(limit) < 1 || Number(limit) > 1_000) {
        throw new RecollectError('input_invalid', 'The query is not valid: limit must be 1 to 1000.')
      }
      const { tenant } = call.principal
      const place = { tenant, owner: sees(call.principal), thread, run, status }
      const search = { ...place, limit: Number(limit), offset: Number(offset) }
      const found = await call.timing.measure('storage', call.service.checkpointer.approvals.list(search))
      return json(found.map(wireApproval))
    },
  }),
  route({
    method: 'GET',
    path: '/approvals/:approval_id',
    scopes: ['chat', 'approve', 'operate'],
    tag,
    summary: 'One of them, with everyone who tried to answer',
    responses: { 200: { description: 'The approval', schema: ApprovalWithAttempts }, 404: refusals[404] },
    handle: async (call) => {
      const { approvals } = call.service.checkpointer
      const { tenant } = call.principal
      const id = call.parameters.approval_id
      const reading = Promise.all([
        approvals.get({ tenant, owner: sees(call.principal) }, id),
        approvals.attempts(tenant, id),
      ])
      const [approval, attempts] = await call.timing.measure('storage', reading)
      if (approval === undefined) throw new RecollectError('approval_unknown', `There is no approval "${id}".`)
      return json({ ...wireApproval(approval), attempts: attempts.map(wireAttempt) })
    },
  }),
  route({
    method: 'POST',
    path: '/approvals/:approval_id',
    scopes: ['chat', 'approve'],
    tag,
    summary: 'Answer',
    description:
      'Once, by whoever may. The run goes on at once, and is watched as any other. Sent again with the same `Idempotency-Key`, it is told the same again. `answer` of a tool: `{ "decision": "approve" }`, `{ "decision": "reject", "reason"? }`, `{ "decision": "edit", "arguments" }` (which asks anew), `{ "decision": "respond", "text" }`.',
    body: () => z.strictObject({ answer: Anything }),
    responses: { 200: { description: 'It was accepted', schema: TakenAnswerSchema }, ...refusals },
    handle: async (call) => {
      const given = { id: call.parameters.approval_id, answer: call.body.answer, ...idempotencyKeyOf(call.request) }
      const { outcome, approval } = await answered(call, answererOf(call.principal, 'api'), given)
      return json({ outcome, approval: wireApproval(approval) })
    },
  }),
]

/** Whose approvals a principal sees: all of the tenant, or those of own threads. */
function sees({ user, scopes }: Principal): string | null {
  return scopes.has('approve') || scopes.has('operate') ? null : user
}

export function wireApproval(approval: ApprovalRecord): Output<typeof Approval> {
  const { id, status, thread, run, graph, seq, node, kind, payload, requester, answerer, approvers, answer } = approval
  return {
    ...{ id, status, thread_id: thread, run_id: run, graph_id: graph, checkpoint_id: String(seq), node, kind },
    ...{ payload: decode(payload), requester, answerer, approvers: approvers && [...approvers] },
    not_requester: approval.notRequester,
    answer: answer === null ? null : decode(answer),
    answered_by: approval.answeredBy,
    answered_via: approval.answeredVia,
    answered_at: approval.answeredAt,
    expires_at: approval.expiresAt,
    created_at: approval.createdAt,
  }
}

function wireAttempt({ at, by, via, outcome }: ApprovalAttempt): Output<typeof Attempt> {
  return { at, by, via, outcome }
}
