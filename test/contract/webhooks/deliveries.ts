// The contract on the log of deliveries: every attempt is in it, and what is in it can be sent again.
import { expect, test } from 'vitest'
import { freshThread, passing, type Subject } from '../checkpointer/turn.ts'
import { words } from './subject.ts'

export function deliveries(checkpointer: Subject) {
  const { store, endpoint, run, take, takeAll, settle, postponed } = words(checkpointer)

  test('every attempt is in the log, newest first, and purged when it is old', async () => {
    const at = freshThread()
    const key = await endpoint(at.tenant)
    await run(at)
    const [webhook = expect.unreachable()] = await takeAll(at)
    await settle(webhook, postponed)
    expect(await settle(webhook, postponed)).toBe(false)
    await take({ tenant: at.tenant, webhook: webhook.id }, 1, 1_000, 'b')
    expect(await settle(webhook)).toBe(false)
    await passing(5)
    expect(await settle(webhook, {}, 'b')).toBe(true)
    const log = await store().deliveries(key, { limit: 10, offset: 0 })
    expect(log).toMatchObject([
      { webhook: webhook.id, event: 'run.finished', attempt: 2, outcome: 'delivered', status: 204, error: null },
      {
        webhook: webhook.id,
        attempt: 1,
        outcome: 'postponed',
        status: 500,
        durationMs: 12,
        error: 'It answered 500.',
      },
    ])
    expect(await store().deliveries(key, { limit: 1, offset: 1 })).toEqual(log.slice(1))
    expect(await store().deliveries({ ...key, tenant: 'other' }, { limit: 10, offset: 0 })).toEqual([])
    await store().purge(60_000)
    expect(await store().deliveries(key, { limit: 10, offset: 0 })).toHaveLength(2)
    await passing(20)
    await store().purge(5)
    expect(await store().deliveries(key, { limit: 10, offset: 0 })).toEqual([])
  })

  test('a delivery past the outbox is in the log', async () => {
    const { tenant } = freshThread()
    const key = await endpoint(tenant)
    const made = { id: 'wd_1', webhook: 'msg_1', event: 'webhook.test', attempt: 1, durationMs: 3 }
    const noted = await store().log(tenant, key.id, { ...made, outcome: 'failed', status: null, error: 'x' })
    expect(noted).toEqual({ ...made, outcome: 'failed', status: null, error: 'x', at: expect.any(String) })
    expect(await store().deliveries(key, { limit: 10, offset: 0 })).toEqual([noted])
    expect(await store().redeliver(key, 'wd_1')).toEqual({ outcome: 'unknown' })
  })

  test('what was delivered is sent again on demand, by its own tenant and endpoint; what is on its way is left alone', async () => {
    const at = freshThread()
    const key = await endpoint(at.tenant)
    await run(at)
    const [webhook = expect.unreachable()] = await takeAll(at)
    await settle(webhook)
    const [delivery = expect.unreachable()] = await store().deliveries(key, { limit: 1, offset: 0 })
    for (const stranger of [
      { ...key, tenant: 'other' },
      { ...key, id: 'other' },
    ])
      expect(await store().redeliver(stranger, delivery.id)).toEqual({ outcome: 'unknown' })
    const of = { tenant: at.tenant, webhook: webhook.id }
    expect(await take(of)).toEqual([])
    expect(await store().redeliver(key, delivery.id)).toMatchObject({ outcome: 'due' })
    expect(await take(of, 1, 60_000, 'b')).toMatchObject([{ attempt: 1 }])
    expect(await store().redeliver(key, delivery.id)).toMatchObject({ outcome: 'due' })
    expect(await take(of)).toEqual([])
    expect(await settle(webhook, {}, 'b')).toBe(true)
  })
}
