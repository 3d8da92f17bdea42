// Keys that a tenant signs its own webhooks to us with.

import * as z from 'zod/mini'
import { RecollectError } from '../kernel/errors.ts'
import type { WebhookKey } from '../ports/webhooks.ts'
import { lazily, type Output } from './lazily.ts'
import { DateTime, Text } from './plain.ts'
import { type Route, route } from './route.ts'
import { office, unknown, webhookTag } from './webhook-endpoints.ts'
import { json, noContent } from './wire.ts'

const scopes = ['operate'] as const

const Key = lazily(() => z.strictObject({ id: Text, created_at: DateTime }))

export const webhookKeyRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/webhooks/keys',
    scopes,
    tag: webhookTag,
    summary: 'Make a key to sign webhooks to this deployment with',
    description:
      'For `POST /webhooks/:tenant/approvals`. `secret` is shown here alone. All keys of a tenant are good: to replace one, make another, use it, and delete the first. Whoever has a key may answer every approval of the tenant.',
    responses: {
      201: { description: 'It is good from now on', schema: () => z.extend(Key(), { secret: Text }) },
      409: { description: 'The tenant has too many' },
    },
    handle: async (call) => {
      const { key, secret } = await call.timing.measure('storage', office(call).createKey(call.principal.tenant))
      return json({ ...wireKey(key), secret }, {}, 201)
    },
  }),
  route({
    method: 'GET',
    path: '/webhooks/keys',
    scopes,
    tag: webhookTag,
    summary: 'All keys of the tenant, oldest first',
    responses: { 200: { description: 'Without their secrets', schema: () => z.array(Key()) } },
    handle: async (call) => {
      const keys = await call.timing.measure('storage', office(call).store.keys(call.principal.tenant))
      return json(keys.map(wireKey))
    },
  }),
  route({
    method: 'DELETE',
    path: '/webhooks/keys/:key_id',
    scopes,
    tag: webhookTag,
    summary: 'Delete a key',
    description: 'What is signed with it is refused from now on.',
    responses: { 204: { description: 'Done' }, ...unknown },
    handle: async (call) => {
      const id = call.parameters.key_id
      const deleting = office(call).store.deleteKey({ tenant: call.principal.tenant, id })
      if (await call.timing.measure('storage', deleting)) return noContent()
      throw new RecollectError('webhook_unknown', `There is no key "${id}".`)
    },
  }),
]

function wireKey({ id, createdAt }: WebhookKey): Output<typeof Key> {
  return { id, created_at: createdAt }
}
