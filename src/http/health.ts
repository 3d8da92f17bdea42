// Health: whether each service behind the Worker answers, and which it is.

import * as z from 'zod/mini'
import { asRecollectError } from '../kernel/errors.ts'
import { lazily, type Output } from './lazily.ts'
import { Flag, Text } from './plain.ts'
import { logFailure } from './problem.ts'
import { type Route, route } from './route.ts'
import { json } from './wire.ts'

/** A service to ask after. */
export interface HealthCheck {
  /** A short hash of what is connected to, without its password: two deployments on two databases are told apart by it. */
  readonly fingerprint: string
  /** Throws when the service is not as it should be. */
  check(): Promise<void>
}

const ServiceHealth = lazily(() =>
  z.strictObject({
    ok: Flag,
    fingerprint: Text,
    ms: z.number(),
    code: z.optional(Text),
    detail: z.optional(Text),
  }),
)

const Health = lazily(() => z.strictObject({ ok: Flag, services: z.record(Text, ServiceHealth()) }))

export const healthRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/health',
    scopes: ['operate'],
    tag: 'Deployment',
    summary: 'Whether each service answers',
    responses: {
      200: { description: 'All do', schema: Health },
      503: { description: 'At least one does not', schema: Health },
    },
    handle: async ({ service }) => {
      const asked = Object.entries(service.health ?? {}).map(
        async ([name, check]) => [name, await stateOf(check)] as const,
      )
      const services = Object.fromEntries(await Promise.all(asked))
      const ok = Object.values(services).every((state) => state.ok)
      return json({ ok, services }, {}, ok ? 200 : 503)
    },
  }),
]

async function stateOf({ fingerprint, check }: HealthCheck): Promise<Output<typeof ServiceHealth>> {
  const startedAt = performance.now()
  const spent = () => Math.round(performance.now() - startedAt)
  try {
    await check()
    return { ok: true, fingerprint, ms: spent() }
  } catch (error) {
    logFailure(error)
    const { code, message } = asRecollectError(error, 'internal', 'The check failed; the log has the cause.')
    return { ok: false, fingerprint, ms: spent(), code, detail: message }
  }
}
