// The one suite for every store of webhooks: endpoints and keys, events that share a commit, lending, and the log.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { randomId } from '../../src/kernel/id.ts'
import type { Question } from '../../src/ports/approvals.ts'
import type { StepCommit, ThreadKey } from '../../src/ports/checkpointer.ts'
import type { DueWebhook, WebhookEvent, WebhookFate, WebhookScope } from '../../src/ports/webhooks.ts'
import { webhookEvents } from '../../src/ports/webhooks.ts'
import { claim, commitOf, freshThread, passing, request, takeOver, tipOf } from './checkpointer/turn.ts'
import type { Made } from './checkpointer.ts'

const question = (change: Partial<Question> = {}): Question => ({
  ...{ id: `ap_${randomId()}`, task: 0, node: 'ask', key: 'k', kind: 'tool', payload: '{"amount":"\\u0000 5"}' },
  ...{ answerer: 'owner', approvers: null, notRequester: false, expiresInMs: null },
  ...change,
})

export function webhookContract(name: string, make: () => Promise<Made>) {
  describe(`${name} keeps the webhook contract`, () => {
    let made: Made | undefined
    beforeAll(async () => {
      made = await make()
    })
    afterAll(() => made?.close())
    const checkpointer = () => made?.checkpointer ?? expect.unreachable()
    const store = () => checkpointer().webhooks

    const endpoint = async (
      tenant: string,
      events: readonly WebhookEvent[] = webhookEvents,
      url = 'https://a.example/',
    ) => {
      const id = `we_${randomId()}`
      expect(await store().createEndpoint({ tenant, id }, { url, events, sealed: `sealed ${id}` }, 50)).toBeDefined()
      return { tenant, id }
    }
    const run = async (at: ThreadKey, change: Partial<StepCommit> = {}, name = 'run-1', kind?: 'update') => {
      const begin = request(at, name)
      const asked = begin.run && { ...begin, run: { ...begin.run, ...(kind && { kind }) } }
      const tip = tipOf(begin, await claim(checkpointer(), asked ?? begin))
      const { commit } = commitOf(tip, 1, ['input', 'step'], change)
      return { commit, outcome: await checkpointer().commitStep(commit) }
    }
    const take = (of: WebhookScope, limit = 10, leaseMs = 60_000, token = 'a') =>
      store().take({ of, token, limit, leaseMs })
    const takeAll = async ({ tenant }: { tenant: string }, run = 'run-1') => take({ tenant, run })
    const settle = ({ tenant, id }: DueWebhook, change: Partial<WebhookFate> = {}, token = 'a') =>
      store().settle(
        { tenant, id, token },
        {
          ...{ id: `wd_${randomId()}`, outcome: 'delivered', status: 204, durationMs: 12, error: null },
          ...{ dueInMs: null, disables: false, ...change },
        },
      )
    const postponed = { outcome: 'postponed', status: 500, error: 'It answered 500.', dueInMs: 0 } as const

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

    test('a run that ends is told of with the commit that ends it, once for each endpoint that asked', async () => {
      const at = freshThread()
      const [first, second] = [await endpoint(at.tenant), await endpoint(at.tenant, ['run.finished'])]
      await endpoint(at.tenant, ['run.failed', 'approval.requested'])
      await endpoint(freshThread().tenant)
      const { commit, outcome } = await run(at)
      expect(outcome).toEqual({ outcome: 'applied', head: 2, status: 'success', announced: 2 })
      for (let time = 0; time < 3; time++) await checkpointer().commitStep(commit)
      const due = await takeAll(at)
      expect(due.map(({ endpoint }) => endpoint).toSorted()).toEqual([first.id, second.id].toSorted())
      const [webhook] = due
      expect(webhook).toMatchObject({
        ...{ tenant: at.tenant, thread: at.thread, event: 'run.finished', attempt: 1, url: 'https://a.example/' },
        ...{ id: expect.stringMatching(/^msg_[0-9a-f]{32}$/), secrets: [`sealed ${webhook?.endpoint}`] },
      })
      expect(JSON.parse(webhook?.data ?? '')).toEqual({
        ...{
          thread_id: at.thread,
          run_id: 'run-1',
          graph_id: 'graph',
          status: 'success',
          checkpoint_id: '2',
          error: null,
        },
      })
      expect(await takeAll(at)).toEqual([])
    })

    test('a run that failed is told of by its code alone', async () => {
      const at = freshThread()
      await endpoint(at.tenant)
      await run(at, {
        status: 'error',
        error: { code: 'node_failed', message: 'Node "a" threw \u0000 \ud800 Error: hunter2' },
      })
      const [webhook] = await takeAll(at)
      expect(webhook?.event).toBe('run.failed')
      expect(JSON.parse(webhook?.data ?? '')).toMatchObject({ status: 'error', error: { code: 'node_failed' } })
      expect(webhook?.data).not.toContain('hunter2')
    })

    test('a run that is dead is told of with the claim that finds it so', async () => {
      const at = freshThread()
      await endpoint(at.tenant)
      await claim(checkpointer(), request(at, 'run-1', { leaseMs: 1, maxAttempts: 1 }))
      await passing(20)
      await checkpointer().beginTurn(takeOver(at, 'other', { maxAttempts: 1 }))
      const [webhook] = await takeAll(at)
      expect(JSON.parse(webhook?.data ?? '')).toMatchObject({ status: 'dead', error: { code: 'run_failed' } })
    })

    test('a run that is given up is told of', async () => {
      const at = freshThread()
      await endpoint(at.tenant)
      await claim(checkpointer(), request(at, 'run-1', { leaseMs: 1, graph: 'gone' }))
      await passing(20)
      expect(await checkpointer().giveUpRuns({ graphsOtherThan: ['graph'], olderThanMs: 1 })).toBe(1)
      const [webhook] = await takeAll(at)
      expect(webhook?.event).toBe('run.failed')
      expect(JSON.parse(webhook?.data ?? '')).toMatchObject({ status: 'dead', error: { code: 'graph_unknown' } })
    })

    test('what is asked is told of with the commit that asks, and what waits by itself when another goes on', async () => {
      const at = freshThread()
      await endpoint(at.tenant)
      const asked = question({ expiresInMs: 60_000 })
      const { outcome } = await run(at, { status: 'waiting', questions: [asked] })
      expect(outcome).toMatchObject({ outcome: 'applied', status: 'waiting', announced: 1 })
      const [webhook] = await takeAll(at)
      expect(webhook?.event).toBe('approval.requested')
      expect(JSON.parse(webhook?.data ?? '')).toEqual({
        ...{ thread_id: at.thread, run_id: 'run-1', graph_id: 'graph' },
        approval: {
          ...{ id: asked.id, kind: 'tool', node: 'ask', payload: asked.payload },
          expires_at: expect.stringMatching(/^\d{4}-/),
        },
      })
      const other = freshThread({ tenant: at.tenant, thread: 'other' })
      expect((await run(other, { status: 'waiting' }, 'run-2')).outcome).toMatchObject({ outcome: 'applied' })
      expect(await takeAll(at, 'run-2')).toEqual([])
      await claim(checkpointer(), request(other, 'run-3'))
      if (webhook) await settle(webhook)
      expect((await takeAll(at, 'run-2')).map(({ event }) => event)).toEqual(['run.finished'])
    })

    test('a payload that is too large is left out', async () => {
      const at = freshThread()
      await endpoint(at.tenant)
      await run(at, { status: 'waiting', questions: [question({ payload: JSON.stringify('ü'.repeat(40_000)) })] })
      const [webhook] = await takeAll(at)
      expect(JSON.parse(webhook?.data ?? '').approval.payload).toBeNull()
    })

    test('nobody is told of what was cancelled, written from outside, or is not over', async () => {
      const at = freshThread()
      await endpoint(at.tenant)
      for (const [index, status] of (['cancelled', 'running'] as const).entries()) {
        const place = freshThread({ tenant: at.tenant, thread: status })
        const { outcome } = await run(place, { status }, `run-${index}`)
        expect(outcome).toEqual({ outcome: 'applied', head: 2, status })
      }
      expect((await run(at, {}, 'run-u', 'update')).outcome).not.toHaveProperty('announced')
      expect(await take({ tenant: at.tenant, run: 'run-u' })).toEqual([])
    })

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
  })
}
