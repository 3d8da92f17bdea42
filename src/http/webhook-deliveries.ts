// Deliveries of webhooks: what became of each, sent again, and tried.

import * as z from 'zod/mini'
import { RecollectError } from '../kernel/errors.ts'
import type { WebhookDelivery } from '../ports/webhooks.ts'
import { lazily, type Output } from './lazily.ts'
import { DateTime, Integer, Text } from './plain.ts'
import { type Route, route } from './route.ts'
import { numberText } from './schemas.ts'
import { keyOf, office, unknown, webhookTag } from './webhook-endpoints.ts'
import { json } from './wire.ts'

const scopes = ['operate'] as const

const Delivery = lazily(() =>
  z.strictObject({
    id: Text,
    webhook_id: Text,
    event: Text,
    attempt: Integer,
    outcome: z.enum(['delivered', 'postponed', 'failed']),
    status: z.nullable(Integer),
    duration_ms: Integer,
    error: z.nullable(Text),
    at: DateTime,
  }),
)

export const webhookDeliveryRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/webhooks/endpoints/:endpoint_id/test',
    scopes,
    tag: webhookTag,
    summary: 'Send it `webhook.test`, once and now',
    responses: { 200: { description: 'How it went: see `outcome`', schema: Delivery }, ...unknown },
    handle: async (call) => json(wireDelivery(await call.timing.measure('webhook', office(call).test(keyOf(call))))),
  }),
  route({
    method: 'GET',
    path: '/webhooks/endpoints/:endpoint_id/deliveries',
    scopes,
    tag: webhookTag,
    summary: 'Every attempt of the last seven days, newest first',
    description:
      '`postponed` is tried again; `status` is null when no answer came. Of what was sent and said nothing is here.',
    query: () => z.object({ limit: numberText(), offset: numberText() }),
    responses: { 200: { description: 'Those of one page', schema: () => z.array(Delivery()) }, ...unknown },
    handle: async (call) => {
      const { limit = '20', offset = '0' } = call.query
      if (Number(limit) < 1 || Number(limit) > 1_000) {
        throw new RecollectError('input_invalid', 'The query is not valid: limit must be 1 to 1000.')
      }
      const key = keyOf(call)
      const page = { limit: Number(limit), offset: Number(offset) }
      const reading = Promise.all([office(call).endpoint(key), office(call).store.deliveries(key, page)])
      const [, made] = await call.timing.measure('storage', reading)
      return json(made.map(wireDelivery))
    },
  }),
  route({
    method: 'POST',
    path: '/webhooks/endpoints/:endpoint_id/deliveries/:delivery_id/redeliver',
    scopes,
    tag: webhookTag,
    summary: 'Send it again, under the same id',
    description: 'At once, and if need be by the whole schedule. Possible for seven days after its end.',
    responses: {
      202: { description: 'It is on its way: see the log', schema: () => z.strictObject({ webhook_id: Text }) },
      409: { description: 'The endpoint is disabled' },
      404: { description: 'The tenant has no such endpoint, or the endpoint no such delivery that is still kept' },
    },
    handle: async (call) => {
      const key = keyOf(call)
      const sending = office(call).redeliver(key, call.parameters.delivery_id)
      const webhook = await call.timing.measure('storage', sending)
      call.waitUntil(office(call).deliver({ tenant: key.tenant, webhook }))
      return json({ webhook_id: webhook }, {}, 202)
    },
  }),
]

function wireDelivery(delivery: WebhookDelivery): Output<typeof Delivery> {
  const { id, webhook, event, attempt, outcome, status, durationMs, error, at } = delivery
  return { id, webhook_id: webhook, event, attempt, outcome, status, duration_ms: durationMs, error, at }
}
