// Delivery of webhooks: signed, at least once, under one id, by a schedule that heeds what the receiver answers.
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { until } from '../until.ts'
import { arrived, house, place, receiving } from './house.ts'
import type { Reply } from './receiver.ts'

describe('a receiver', () => {
  let now = Date.parse('2026-11-25T12:00:00Z')
  beforeEach(() => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
  })
  afterEach(() => vi.restoreAllMocks())

  /** One endpoint, one finished run, over a clock of its own. */
  async function told(...replies: Reply[]) {
    const checkpointer = memoryCheckpointer({ now: () => now })
    const { office, app, swept } = house(checkpointer)
    const at = place()
    const one = await receiving(...replies)
    const { endpoint, secret: first } = await office.createEndpoint(at.tenant, {
      url: one.url,
      events: ['run.finished'],
    })
    const key = { tenant: at.tenant, id: endpoint.id }
    const log = async () => (await office.store.deliveries(key, { limit: 100, offset: 0 })).toReversed()
    await app.invoke({ log: 'quiet' }, at)
    await until(async () => expect(await log()).toHaveLength(1))
    return { one, key, log, swept, office, app, at, secret: first }
  }

  test('that answers 500 for days is tried by the schedule, with one id, and then no more', async () => {
    const { one, log, swept, key, office } = await told(500)
    const seconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    for (const pause of seconds) {
      now += pause * 1_000 - 1
      expect((await swept()).webhooks).toEqual({ delivered: 0, postponed: 0, failed: 0 })
      now += 1
      const { postponed, failed } = (await swept()).webhooks
      expect(postponed + failed, `${pause}`).toBe(1)
    }
    now += 30 * 86_400_000
    await swept()
    expect(one.received).toHaveLength(10)
    expect(new Set(one.received.map(({ id }) => id)).size).toBe(1)
    expect(one.received.map(({ event }) => event.timestamp)).toEqual(Array(10).fill(one.received[0]?.event.timestamp))
    // The log of the first days is purged by then.
    expect(await log()).toEqual([])
    expect(await office.endpoint(key)).toMatchObject({ failures: 10, disabledAt: null })
  })

  test('that comes back is told, and trusted again', async () => {
    const { one, log, swept, key, office } = await told(500, 502, 200)
    now += 5_000
    await swept()
    now += 300_000
    expect((await swept()).webhooks.delivered).toBe(1)
    expect(one.received).toHaveLength(3)
    expect(await log()).toMatchObject([
      { attempt: 1, outcome: 'postponed', status: 500, error: 'It answered 500.' },
      { attempt: 2, outcome: 'postponed', status: 502 },
      { attempt: 3, outcome: 'delivered', status: 200, error: null },
    ])
    expect(await office.endpoint(key)).toMatchObject({ failures: 0 })
  })

  test('that answers 410 is told nothing more', async () => {
    const { one, log, swept, key, office, app, at } = await told(410)
    expect(await log()).toMatchObject([{ outcome: 'failed', status: 410 }])
    expect(await office.endpoint(key)).toMatchObject({ disabledReason: 'It answered 410: it wants no more.' })
    await app.invoke({ log: 'quiet' }, at)
    now += 86_400_000
    await swept()
    expect(one.received).toHaveLength(1)
  })

  test('that redirects is not followed', async () => {
    const elsewhere = await receiving()
    const { log } = await told((response) => response.writeHead(307, { location: elsewhere.url }).end())
    expect(await log()).toMatchObject([
      { outcome: 'postponed', status: 307, error: 'It redirects, which is not followed.' },
    ])
    expect(elsewhere.received).toEqual([])
  })

  test.each([
    ['429', 429, '600', 600],
    ['503', 503, '600', 600],
    ['503 with a date', 503, () => new Date(Date.now() + 600_000).toUTCString(), 600],
    ['429 with less than the pause', 429, '1', 5],
    ['429 with nonsense', 429, 'soon', 5],
    ['429 with a year', 429, '31536000', 86_400],
    ['500, where it means nothing', 500, '600', 5],
  ])('that answers %s is tried again after as long as it asks', async (_, status, after, seconds) => {
    // The clock stands still: what the date is away does not become less on the way.
    vi.spyOn(Date, 'now').mockReturnValue(now)
    const value = typeof after === 'string' ? after : after()
    const { swept } = await told((response) => response.writeHead(status, { 'retry-after': value }).end(), 200)
    now += (seconds - 2) * 1_000
    expect((await swept()).webhooks.delivered).toBe(0)
    now += 4_000
    expect((await swept()).webhooks.delivered).toBe(1)
  })

  test('that sends without end is not listened to', async () => {
    let sent = 0
    const { log } = await told((response) => {
      response.writeHead(200)
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) sent++
      }
      response.on('drain', more)
      more()
    })
    expect(await log()).toMatchObject([{ outcome: 'delivered', status: 200 }])
    expect(sent).toBeLessThan(1_000)
  })

  test('that is not there, or breaks off, is tried again', async () => {
    const { log, one, swept } = await told((response) => response.destroy())
    expect(await log()).toMatchObject([
      { outcome: 'postponed', status: null, error: 'It could not be reached (TypeError).' },
    ])
    await one.close()
    now += 5_000
    expect((await swept()).webhooks.postponed).toBe(1)
  })

  test('is sent signatures of both secrets while one takes the other’s place', async () => {
    const { one, office, key, app, at, secret: first } = await told(200)
    const { secret: second } = await office.rotateEndpoint(key)
    await app.invoke({ log: 'quiet' }, at)
    await arrived(one, 2)
    const [, both = expect.unreachable()] = one.received
    expect(one.verified(both, first)).toBe(both.id)
    expect(one.verified(both, second)).toBe(both.id)
    now += 86_400_001
    await app.invoke({ log: 'quiet' }, at)
    await arrived(one, 3)
    const [, , after = expect.unreachable()] = one.received
    expect(one.verified(after, second)).toBe(after.id)
    expect(() => one.verified(after, first)).toThrow()
  })

  test('checks signatures with the library of somebody else', async () => {
    const { one, secret: first } = await told(200)
    const [{ headers, bytes } = expect.unreachable()] = one.received
    const { webhooks } = new OpenAI({ apiKey: 'none' })
    const body = new TextDecoder().decode(bytes)
    await webhooks.verifySignature(body, headers, first)
    await expect(webhooks.verifySignature(`${body} `, headers, first)).rejects.toThrow()
    const another = `whsec_${Buffer.alloc(32).toString('base64')}`
    await expect(webhooks.verifySignature(body, headers, another)).rejects.toThrow()
  })

  test('is sent again what it was sent, on demand, under the same id', async () => {
    const { one, office, key, log, at } = await told(200)
    const [{ id } = expect.unreachable()] = await log()
    const webhook = await office.redeliver(key, id)
    await office.deliver({ tenant: at.tenant, webhook })
    expect(one.received.map((received) => received.id)).toEqual([webhook, webhook])
    expect(one.received[1]?.event).toEqual(one.received[0]?.event)
    await expect(office.redeliver(key, 'wd_none')).rejects.toMatchObject({ code: 'webhook_unknown' })
  })

  test('is tried without an event', async () => {
    const { one, office, key, secret: first } = await told(200)
    expect(await office.test(key)).toMatchObject({ event: 'webhook.test', outcome: 'delivered', status: 200 })
    expect(one.verified(one.received[1] ?? expect.unreachable(), first)).toMatch(/^msg_/)
    one.replies = [500]
    expect(await office.test(key)).toMatchObject({ outcome: 'failed', status: 500 })
    await expect(office.test({ ...key, tenant: 'other' })).rejects.toMatchObject({ code: 'webhook_unknown' })
  })
})
