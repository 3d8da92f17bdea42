// Where webhooks go and with which secrets: addresses are public, and secrets are sealed where they are kept.
import { describe, expect, test, vi } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { WebhookOffice } from '../../src/index.ts'
import { webhookEvents } from '../../src/ports/webhooks.ts'
import { until } from '../until.ts'
import { house, place, receiving, secret } from './house.ts'

describe('an address', () => {
  test('that is not public is refused when an endpoint is made or changed', async () => {
    const { office } = house(memoryCheckpointer(), { anywhere: false })
    const { tenant } = place()
    const url = 'https://169.254.169.254/latest/meta-data/'
    await expect(office.createEndpoint(tenant, { url, events: webhookEvents })).rejects.toMatchObject({
      code: 'input_invalid',
    })
    const { endpoint } = await office.createEndpoint(tenant, { url: 'https://a.example/', events: webhookEvents })
    await expect(office.changeEndpoint({ tenant, id: endpoint.id }, { url })).rejects.toMatchObject({
      code: 'input_invalid',
    })
    expect(await office.store.endpoints(tenant)).toMatchObject([{ url: 'https://a.example/' }])
  })

  test('that got into the table all the same is not called, and others are', async () => {
    const checkpointer = memoryCheckpointer()
    const at = place()
    const inside = await receiving()
    const lax = house(checkpointer).office
    const { endpoint } = await lax.createEndpoint(at.tenant, { url: inside.url, events: ['run.finished'] })
    await lax.createEndpoint(at.tenant, { url: 'https://a.example/', events: ['run.finished'] })
    const called = vi.fn(async (_url: unknown) => new Response(null, { status: 204 }))
    const { app, office } = house(checkpointer, { anywhere: false, fetch: called as unknown as typeof fetch })
    await app.invoke({ log: 'quiet' }, at)
    const log = () => office.store.deliveries({ tenant: at.tenant, id: endpoint.id }, { limit: 10, offset: 0 })
    await until(async () => expect(await log()).toMatchObject([{ outcome: 'failed', status: null }]))
    await until(() => expect(called.mock.calls.map(([url]) => url)).toEqual(['https://a.example/']))
    expect(inside.received).toEqual([])
  })
})

describe('secrets', () => {
  test('are sealed where they are kept, each for its own row of its own tenant', async () => {
    const store = memoryCheckpointer().webhooks
    const office = new WebhookOffice({ store, secret })
    const { endpoint, secret: signing } = await office.createEndpoint('a', {
      url: 'https://a.example/',
      events: webhookEvents,
    })
    expect(signing).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(JSON.stringify(endpoint)).not.toContain(signing)
    const [sealed = ''] = endpoint.secrets
    expect(await office.secretsOf('a', endpoint.id, [sealed])).toEqual([signing])
    expect(await office.secretsOf('b', endpoint.id, [sealed])).toEqual([])
    expect(await office.secretsOf('a', 'we_other', [sealed])).toEqual([])
    const { key, secret: inbound } = await office.createKey('a')
    expect(JSON.stringify(key)).not.toContain(inbound)
    await store.createKey({ tenant: 'a', id: 'moved' }, key.sealed, 50)
    expect(await office.keys('a')).toEqual([inbound])
    expect(await office.keys('b')).toEqual([])
    expect(await new WebhookOffice({ store, secret: `another ${secret}` }).keys('a')).toEqual([])
    expect(() => new WebhookOffice({ store, secret: 'short' })).toThrow(
      expect.objectContaining({ code: 'environment_invalid' }),
    )
  })

  test('that cannot be opened any more are said to be so, and nothing is sent', async () => {
    const checkpointer = memoryCheckpointer()
    const one = await receiving()
    const at = place()
    const { endpoint } = await house(checkpointer).office.createEndpoint(at.tenant, {
      url: one.url,
      events: ['run.finished'],
    })
    const { app, office } = house(checkpointer, { secret: `another ${secret}` })
    await app.invoke({ log: 'quiet' }, at)
    const log = () => office.store.deliveries({ tenant: at.tenant, id: endpoint.id }, { limit: 10, offset: 0 })
    await until(async () =>
      expect(await log()).toMatchObject([{ outcome: 'postponed', error: expect.stringContaining('RECOLLECT_SECRET') }]),
    )
    expect(one.received).toEqual([])
  })
})
