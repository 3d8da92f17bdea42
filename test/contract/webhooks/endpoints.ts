// The contract on endpoints and keys: they are made, changed and deleted by their tenant alone, and secrets are replaced without a gap.
import { expect, test } from 'vitest'
import { webhookEvents } from '../../../src/ports/webhooks.ts'
import { freshThread, passing, type Subject } from '../checkpointer/turn.ts'
import { words } from './subject.ts'

export function endpoints(checkpointer: Subject) {
  const { store, endpoint } = words(checkpointer)

  test('an endpoint is made, read, changed, listed and deleted by its tenant alone', async () => {
    const { tenant } = freshThread()
    const key = await endpoint(tenant, ['run.failed'])
    const fresh = {
      ...{
        id: key.id,
        url: 'https://a.example/',
        events: ['run.failed'],
        failures: 0,
        secrets: [`sealed ${key.id}`],
      },
      ...{ disabledAt: null, disabledReason: null, createdAt: expect.stringMatching(/^\d{4}-.*Z$/) },
    }
    expect(await store().endpoint(key)).toEqual(fresh)
    expect(await store().endpoints(tenant)).toEqual([fresh])
    const stranger = { tenant: freshThread().tenant, id: key.id }
    expect(await store().endpoint(stranger)).toBeUndefined()
    expect(await store().endpoints(stranger.tenant)).toEqual([])
    expect(await store().changeEndpoint(stranger, { disabled: true })).toBeUndefined()
    expect(await store().rotateEndpoint(stranger, 'x', 1)).toBeUndefined()
    expect(await store().deleteEndpoint(stranger)).toBe(false)
    expect(await store().endpoint(key)).toEqual(fresh)
    const changed = { url: 'https://b.example/', events: ['run.finished'] as const }
    expect(await store().changeEndpoint(key, changed)).toEqual({ ...fresh, ...changed })
    expect(await store().changeEndpoint(key, {})).toEqual({ ...fresh, ...changed })
    expect(await store().deleteEndpoint(key)).toBe(true)
    expect(await store().deleteEndpoint(key)).toBe(false)
    expect(await store().endpoint(key)).toBeUndefined()
  })

  test('a tenant has at most so many endpoints and keys', async () => {
    const { tenant } = freshThread()
    const made = { url: 'https://a.example/', events: webhookEvents, sealed: 's' }
    expect(await store().createEndpoint({ tenant, id: 'a' }, made, 1)).toBeDefined()
    expect(await store().createEndpoint({ tenant, id: 'b' }, made, 1)).toBeUndefined()
    expect(await store().createKey({ tenant, id: 'a' }, 's', 1)).toBeDefined()
    expect(await store().createKey({ tenant, id: 'b' }, 's', 1)).toBeUndefined()
  })

  test('a secret that is replaced is good for a while more, and three are kept', async () => {
    const { tenant } = freshThread()
    const key = await endpoint(tenant)
    const secrets = async () => (await store().endpoint(key))?.secrets
    expect((await store().rotateEndpoint(key, 'second', 60_000))?.secrets).toEqual(['second', `sealed ${key.id}`])
    await store().rotateEndpoint(key, 'third', 60_000)
    expect(await secrets()).toEqual(['third', 'second', `sealed ${key.id}`])
    await store().rotateEndpoint(key, 'fourth', 60_000)
    expect(await secrets()).toEqual(['fourth', 'third', 'second'])
    await store().rotateEndpoint(key, 'fifth', 0)
    await passing(5)
    expect(await secrets()).toEqual(['fifth'])
  })

  test('a key is made, listed and deleted by its tenant alone', async () => {
    const { tenant } = freshThread()
    const key = await store().createKey({ tenant, id: 'wk_1' }, 'sealed', 50)
    expect(key).toEqual({ id: 'wk_1', sealed: 'sealed', createdAt: expect.stringMatching(/^\d{4}-.*Z$/) })
    await store().createKey({ tenant, id: 'wk_2' }, 'sealed', 50)
    expect((await store().keys(tenant)).map(({ id }) => id)).toEqual(['wk_1', 'wk_2'])
    const other = freshThread().tenant
    expect(await store().keys(other)).toEqual([])
    expect(await store().deleteKey({ tenant: other, id: 'wk_1' })).toBe(false)
    expect(await store().deleteKey({ tenant, id: 'wk_1' })).toBe(true)
    expect((await store().keys(tenant)).map(({ id }) => id)).toEqual(['wk_2'])
  })
}
