// Answers by signed webhook: Standard Webhooks, with keys of the tenant that the address names.

import * as z from 'zod/mini'
import { RecollectError } from '../kernel/errors.ts'
import { verifyWebhook } from '../kernel/webhook.ts'
import { answered } from './answers.ts'
import { refusals, TakenAnswerSchema, wireApproval } from './approvals.ts'
import { jsonOf } from './body.ts'
import { lazily } from './lazily.ts'
import { Anything, Text } from './plain.ts'
import { type Call, type Route, route } from './route.ts'
import { checked } from './validation.ts'
import { json } from './wire.ts'

const AnswerEvent = lazily(() =>
  z.looseObject({
    type: z.literal('approval.answered'),
    data: z.strictObject({
      id: Text,
      answer: Anything,
      by: z.optional(Text),
      run_id: z.optional(Text),
    }),
  }),
)

export const approvalWebhookRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/webhooks/:tenant/approvals',
    scopes: [],
    tag: 'Webhooks',
    summary: 'Answer by signed webhook',
    description:
      'Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`, signed with a key of the tenant. Body: `{ "type": "approval.answered", "data": { "id", "answer", "by"?, "run_id"? } }`; `by` is kept as who answered. A `webhook-id` that was accepted before is answered with the first outcome. With `run_id`, an answer that comes before its question is stored gets 409 `approval_early`: send it again.',
    rawBody: { maxBytes: 65_536 },
    responses: {
      200: { description: 'It was accepted', schema: TakenAnswerSchema },
      401: { description: 'It is not signed with a key of this tenant, or not now' },
      ...refusals,
    },
    handle: async (call) => {
      const { tenant } = call.parameters
      const { id: key, event } = await believed(call, tenant)
      const { id, answer, by = 'webhook', run_id: run } = event.data
      const who = { tenant, user: null, by, approver: true, via: 'webhook' }
      const given = { id, answer, key, webhook: true, ...(run !== undefined && { run }) }
      const { outcome, approval } = await answered(call, who, given)
      return json({ outcome, approval: wireApproval(approval) })
    },
  }),
]

/** Nothing of the body is looked at before its signature is good. A tenant without keys is as unknown as a wrong key. */
async function believed({ service, request, rawBody, timing }: Call, tenant: string) {
  const { webhooks } = service
  if (webhooks === undefined) {
    throw new RecollectError('environment_invalid', 'This deployment takes no webhooks: set RECOLLECT_SECRET.')
  }
  const keys = await timing.measure('storage', webhooks.keys(tenant))
  const id = verifyWebhook(request.headers, rawBody, keys)
  return { id, event: checked(AnswerEvent(), jsonOf(rawBody), 'The webhook') }
}
