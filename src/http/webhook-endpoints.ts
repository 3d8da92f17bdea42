// Endpoints of webhooks: where a tenant is told of what happens.

import * as z from 'zod/mini'
import { RecollectError } from '../kernel/errors.ts'
import { type WebhookEndpoint, webhookEvents } from '../ports/webhooks.ts'
import { unknownEndpoint, type WebhookOffice } from '../webhooks/office.ts'
import { lazily, type Output } from './lazily.ts'
import { DateTime, Flag, Integer, Text } from './plain.ts'
import { type Call, type Route, route } from './route.ts'
import { json, noContent } from './wire.ts'

export const webhookTag = 'Webhooks'
const scopes = ['operate'] as const

const Events = lazily(() => z.array(z.enum(webhookEvents)).check(z.minLength(1), z.maxLength(webhookEvents.length)))

const Endpoint = lazily(() =>
  z.strictObject({
    id: Text,
    url: Text,
    events: z.array(z.enum(webhookEvents)),
    failures: Integer,
    secrets: Integer,
    disabled_at: z.nullable(DateTime),
    disabled_reason: z.nullable(Text),
    created_at: DateTime,
  }),
)

const EndpointWithSecret = lazily(() => z.extend(Endpoint(), { secret: Text }))

export const unknown = { 404: { description: 'The tenant has none of this id' } } as const
const refused = { 422: { description: 'It is not https, or not a public address' } } as const

export const webhookEndpointRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/webhooks/endpoints',
    scopes,
    tag: webhookTag,
    summary: 'Be told of events at a URL',
    description:
      'Events come as signed webhooks (Standard Webhooks 1.0), at least once; see docs/webhooks.md. `secret` is what they are signed with, and is shown here alone.',
    body: () => z.strictObject({ url: Text, events: z._default(Events(), [...webhookEvents]) }),
    responses: {
      201: { description: 'It is told from now on', schema: EndpointWithSecret },
      409: { description: 'The tenant has too many' },
      ...refused,
    },
    handle: async (call) => {
      const making = office(call).createEndpoint(call.principal.tenant, call.body)
      const { endpoint, secret } = await call.timing.measure('storage', making)
      return json({ ...wireEndpoint(endpoint), secret }, {}, 201)
    },
  }),
  route({
    method: 'GET',
    path: '/webhooks/endpoints',
    scopes,
    tag: webhookTag,
    summary: 'All endpoints of the tenant, oldest first',
    responses: { 200: { description: 'Without their secrets', schema: () => z.array(Endpoint()) } },
    handle: async (call) => {
      const found = await call.timing.measure('storage', office(call).store.endpoints(call.principal.tenant))
      return json(found.map(wireEndpoint))
    },
  }),
  route({
    method: 'GET',
    path: '/webhooks/endpoints/:endpoint_id',
    scopes,
    tag: webhookTag,
    summary: 'One of them',
    description:
      '`failures`: attempts that failed since the last that succeeded. `secrets`: how many it is signed with just now.',
    responses: { 200: { description: 'Without its secret', schema: Endpoint }, ...unknown },
    handle: async (call) =>
      json(wireEndpoint(await call.timing.measure('storage', office(call).endpoint(keyOf(call))))),
  }),
  route({
    method: 'PATCH',
    path: '/webhooks/endpoints/:endpoint_id',
    scopes,
    tag: webhookTag,
    summary: 'Change its URL or its events, disable or enable it',
    description:
      'What waits for an endpoint when it is disabled has failed, and can be sent again. Enabled, it is told of what happens from then on.',
    body: () =>
      z.strictObject({
        url: z.optional(Text),
        events: z.optional(Events()),
        disabled: z.optional(Flag),
      }),
    responses: { 200: { description: 'As it is now', schema: Endpoint }, ...unknown, ...refused },
    handle: async (call) => {
      const { url, events, disabled } = call.body
      const change = { ...(url !== undefined && { url }), ...(events && { events }) }
      const changing = office(call).changeEndpoint(keyOf(call), {
        ...change,
        ...(disabled !== undefined && { disabled }),
      })
      return json(wireEndpoint(await call.timing.measure('storage', changing)))
    },
  }),
  route({
    method: 'DELETE',
    path: '/webhooks/endpoints/:endpoint_id',
    scopes,
    tag: webhookTag,
    summary: 'Delete it, with what waits for it and its log',
    responses: { 204: { description: 'Done' }, ...unknown },
    handle: async (call) => {
      const key = keyOf(call)
      if (!(await call.timing.measure('storage', office(call).store.deleteEndpoint(key)))) throw unknownEndpoint(key.id)
      return noContent()
    },
  }),
  route({
    method: 'POST',
    path: '/webhooks/endpoints/:endpoint_id/rotate',
    scopes,
    tag: webhookTag,
    summary: 'Give it a new secret',
    description: 'Shown here alone. For 24 hours what is sent is signed with the one before too.',
    responses: { 200: { description: 'With the new secret', schema: EndpointWithSecret }, ...unknown },
    handle: async (call) => {
      const rotating = office(call).rotateEndpoint(keyOf(call))
      const { endpoint, secret } = await call.timing.measure('storage', rotating)
      return json({ ...wireEndpoint(endpoint), secret })
    },
  }),
]

/** Throws `environment_invalid` where secrets cannot be sealed. */
export function office({ service: { webhooks } }: Pick<Call, 'service'>): WebhookOffice {
  if (webhooks !== undefined && 'store' in webhooks) return webhooks
  throw new RecollectError('environment_invalid', 'This deployment keeps no webhooks: set RECOLLECT_SECRET.')
}

/** Of the caller's own tenant, whatever the id. */
export function keyOf({ principal, parameters }: Call<{ readonly endpoint_id: string }>) {
  return { tenant: principal.tenant, id: parameters.endpoint_id }
}

function wireEndpoint(endpoint: WebhookEndpoint): Output<typeof Endpoint> {
  const { id, url, events, failures, secrets, disabledAt, disabledReason, createdAt } = endpoint
  return {
    ...{ id, url, events: [...events], failures, secrets: secrets.length },
    ...{ disabled_at: disabledAt, disabled_reason: disabledReason, created_at: createdAt },
  }
}
