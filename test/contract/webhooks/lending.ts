// The contract on lending: each webhook to one worker at a time, each endpoint one webhook at a time, until it is delivered or pointless.
import { expect, test } from 'vitest'
import { freshThread, passing, type Subject } from '../checkpointer/turn.ts'
import { words } from './subject.ts'

export function lending(checkpointer: Subject) {
  const { store, endpoint, run, take, takeAll, settle, postponed } = words(checkpointer)

  test('an endpoint gets one at a time, and another does not wait for it', async () => {
    const at = freshThread()
    const slow = await endpoint(at.tenant)
    for (const name of ['run-1', 'run-2', 'run-3']) await run(at, {}, name)
    const quick = await endpoint(at.tenant)
    await run(at, {}, 'run-4')
    const mine = async (token: string, leaseMs = 60_000) => {
      const due = await take(null, 10_000, leaseMs, token)
      return due.filter(({ tenant }) => tenant === at.tenant)
    }
    const first = await mine('a')
    expect(first.map(({ endpoint }) => endpoint).toSorted()).toEqual([slow.id, quick.id].toSorted())
    expect(await mine('b')).toEqual([])
    for (const webhook of first) if (webhook.endpoint === slow.id) await settle(webhook)
    expect(await mine('b', 10)).toMatchObject([{ endpoint: slow.id, attempt: 1 }])
    await passing(20)
    // Its time is up: its endpoint gets the next, and then it again.
    const next = await mine('c')
    expect(next).toMatchObject([{ endpoint: slow.id, attempt: 1 }])
    for (const webhook of next) await settle(webhook, {}, 'c')
    const third = await mine('d')
    for (const webhook of third) await settle(webhook, {}, 'd')
    expect([...third, ...(await mine('e'))].map(({ attempt }) => attempt).toSorted()).toEqual([1, 2])
  })

  test('what failed is due again after its pause; a receiver that failed comes last, and not right after a turn', async () => {
    const at = freshThread()
    const failing = await endpoint(at.tenant)
    await run(at, {}, 'run-1')
    const [webhook = expect.unreachable()] = await takeAll(at)
    expect(await settle(webhook, { ...postponed, dueInMs: 200 })).toBe(true)
    expect(await store().endpoint(failing)).toMatchObject({ failures: 1 })
    const healthy = await endpoint(at.tenant)
    await run(at, {}, 'run-2')
    expect((await takeAll(at, 'run-2')).map(({ endpoint }) => endpoint)).toEqual([healthy.id])
    await passing(220)
    const of = { tenant: at.tenant, webhook: webhook.id }
    expect(await take(of)).toMatchObject([{ id: webhook.id, attempt: 2, endpoint: failing.id }])
    await settle(webhook)
    expect(await store().endpoint(failing)).toMatchObject({ failures: 0 })
  })

  test('a receiver that wants no more gets no more, until it is enabled again', async () => {
    const at = freshThread()
    const key = await endpoint(at.tenant)
    await run(at, {}, 'run-1')
    await run(at, {}, 'run-2')
    const [webhook = expect.unreachable()] = await takeAll(at)
    await settle(webhook, { outcome: 'failed', status: 410, error: 'It answered 410.', disables: true })
    expect(await store().endpoint(key)).toMatchObject({
      disabledAt: expect.stringMatching(/^\d{4}-/),
      disabledReason: 'It answered 410.',
    })
    expect((await run(at, {}, 'run-3')).outcome).not.toHaveProperty('announced')
    const { tenant } = at
    for (const name of ['run-1', 'run-2', 'run-3']) expect(await take({ tenant, run: name })).toEqual([])
    const [delivery = expect.unreachable()] = await store().deliveries(key, { limit: 1, offset: 0 })
    expect(await store().redeliver(key, delivery.id)).toEqual({ outcome: 'disabled' })
    expect(await store().changeEndpoint(key, { disabled: false })).toMatchObject({ disabledAt: null, failures: 0 })
    expect(await take({ tenant, run: 'run-2' })).toEqual([])
    expect((await run(at, {}, 'run-4')).outcome).toMatchObject({ announced: 1 })
    expect(await store().redeliver(key, delivery.id)).toEqual({ outcome: 'due', webhook: webhook.id })
    const again = await take({ tenant, webhook: webhook.id })
    expect(again).toMatchObject([{ id: webhook.id, attempt: 1, data: webhook.data }])
  })

  test('a thread that is deleted takes what would tell of it along; an endpoint, all that waits for it', async () => {
    const at = freshThread()
    const key = await endpoint(at.tenant)
    await run(at)
    const [webhook = expect.unreachable()] = await takeAll(at)
    await checkpointer().threads.delete(at)
    expect(await settle(webhook)).toBe(false)
    expect(await take(null, 10_000)).not.toContainEqual(expect.objectContaining({ tenant: at.tenant }))
    await run(at)
    await store().deleteEndpoint(key)
    expect(await take(null, 10_000)).not.toContainEqual(expect.objectContaining({ tenant: at.tenant }))
  })

  test('webhooks and messages of nodes are lent apart', async () => {
    const at = freshThread()
    await endpoint(at.tenant)
    await run(at, { messages: [{ id: 'm', topic: 'sent', payload: '1' }] })
    const asked = {
      graphs: ['graph'],
      run: { tenant: at.tenant, run: 'run-1' },
      token: 'a',
      limit: 10,
      leaseMs: 60_000,
    }
    expect((await checkpointer().outbox.take(asked)).map(({ id }) => id)).toEqual(['m'])
    expect((await takeAll(at)).map(({ event }) => event)).toEqual(['run.finished'])
  })

  test('many takers at once get each webhook once', async () => {
    const at = freshThread()
    for (let count = 0; count < 8; count++) await endpoint(at.tenant)
    await run(at)
    const taken = await Promise.all(
      Array.from({ length: 6 }, (_, index) => take({ tenant: at.tenant, run: 'run-1' }, 3, 60_000, `t${index}`)),
    )
    const ids = [...taken.flat(), ...(await takeAll(at))].map(({ id }) => id)
    expect(ids).toHaveLength(8)
    expect(new Set(ids).size).toBe(8)
  })
}
