// The one suite for every store of webhooks: endpoints and keys, events that share a commit, lending, and the log.
import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { Made } from './checkpointer.ts'
import { deliveries } from './webhooks/deliveries.ts'
import { endpoints } from './webhooks/endpoints.ts'
import { events } from './webhooks/events.ts'
import { lending } from './webhooks/lending.ts'

export function webhookContract(name: string, make: () => Promise<Made>) {
  describe(`${name} keeps the webhook contract`, () => {
    let made: Made | undefined
    beforeAll(async () => {
      made = await make()
    })
    afterAll(() => made?.close())
    const checkpointer = () => made?.checkpointer ?? expect.unreachable()
    endpoints(checkpointer)
    events(checkpointer)
    lending(checkpointer)
    deliveries(checkpointer)
  })
}
