// Webhooks out: what makes them true puts them in the outbox, and they are delivered signed, at least once, at nobody else's cost.
import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { neonCheckpointer } from '../../src/adapters/neon/index.ts'
import { WebhookOffice } from '../../src/index.ts'
import { webhookEvents } from '../../src/ports/webhooks.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'
import { altered, settled, unavailable } from '../runtime/doubles.ts'
import { until } from '../until.ts'
import { arrived, house, place, receiving, secret, shown } from './house.ts'
import type { Reply } from './receiver.ts'

let database: NeonDatabase | undefined
beforeAll(async () => {
  database = await pgliteDatabase()
})
afterAll(() => database?.close())

describe.each(['memory', 'neon'])('on %s', (name) => {
  const make = () => (name === 'memory' ? memoryCheckpointer() : (database?.checkpointer ?? expect.unreachable()))

  test('what is asked, and the end, are told to whoever asked to be told, signed, with what was shown', async () => {
    const { office, app } = house(make(), { reviewUrl: async ({ id, tenant }) => `https://us.example/${tenant}/${id}` })
    const at = place()
    const [all, ends] = [await receiving(), await receiving()]
    const made = await office.createEndpoint(at.tenant, { url: all.url, events: webhookEvents })
    await office.createEndpoint(at.tenant, { url: ends.url, events: ['run.finished'] })
    await office.createEndpoint('another tenant', { url: ends.url, events: webhookEvents })
    const asked = await app.run({ log: 'in' }, at)
    await arrived(all, 1)
    const [first = expect.unreachable()] = all.received
    const [{ id } = expect.unreachable()] = asked.interrupts
    expect(all.verified(first, made.secret)).toBe(first.id)
    expect(first.headers.get('content-type')).toBe('application/json')
    expect(first.event).toEqual({
      type: 'approval.requested',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      data: {
        ...{ thread_id: at.thread, run_id: asked.run, graph_id: 'default' },
        approval: { id, kind: 'tool', node: 'ask', payload: shown, expires_at: null },
        review_url: `https://us.example/${at.tenant}/${id}`,
      },
    })
    await app.resume({ [id]: { ok: true } }, at)
    await Promise.all([arrived(all, 2), arrived(ends, 1)])
    expect(all.received[1]?.event).toMatchObject({
      type: 'run.finished',
      data: { run_id: asked.run, status: 'success', checkpoint_id: expect.stringMatching(/^\d+$/), error: null },
    })
    expect(ends.received[0]?.id).not.toBe(all.received[1]?.id)
  })

  test('a run that failed is told of by its code', async () => {
    const { office, app } = house(make())
    const at = place()
    const one = await receiving()
    await office.createEndpoint(at.tenant, { url: one.url, events: webhookEvents })
    await expect(app.run({ log: 'fail' }, at)).rejects.toMatchObject({ code: 'node_failed' })
    await arrived(one, 1)
    expect(one.received[0]?.event).toMatchObject({
      type: 'run.failed',
      data: { status: 'error', error: { code: 'node_failed' } },
    })
    expect(JSON.stringify(one.received[0]?.event)).not.toContain('hunter2')
  })
})

describe('a turn', () => {
  test('costs no statement more where nobody is told', async () => {
    const inner = memoryCheckpointer()
    let taken = 0
    const webhooks = new Proxy(inner.webhooks, {
      get: (store, method) => {
        if (method === 'take') taken++
        const value: unknown = Reflect.get(store, method)
        return typeof value === 'function' ? value.bind(store) : value
      },
    })
    const { app } = house(altered(inner, { webhooks }))
    await app.invoke({ log: 'quiet' }, place())
    expect(taken).toBe(0)
  })

  test('costs one statement a superstep, and the claim, with everything that is told of it', async () => {
    let statements = 0
    const { sql } = database ?? expect.unreachable()
    const checkpointer = neonCheckpointer({
      query: (text, parameters = [], options = {}) => {
        statements++
        return sql.query(text, parameters, options)
      },
    })
    const { office } = house(checkpointer)
    const { app } = house(checkpointer, {}, { webhooks: undefined as never })
    const at = place()
    await office.createEndpoint(at.tenant, { url: 'https://a.example/', events: webhookEvents })
    statements = 0
    await app.invoke({ log: 'quiet' }, at)
    expect(statements).toBe(2)
    expect(await office.store.take({ of: { ...at, run: 'other' }, token: 't', limit: 1, leaseMs: 1 })).toEqual([])
    const due = await office.store.take({ of: null, token: 't', limit: 100, leaseMs: 60_000 })
    expect(due.filter(({ tenant }) => tenant === at.tenant)).toHaveLength(1)
  })

  test('that nobody can tell of at once is told of by the sweep', async () => {
    const inner = memoryCheckpointer()
    const { office, swept } = house(inner)
    const at = place()
    const one = await receiving()
    await office.createEndpoint(at.tenant, { url: one.url, events: ['run.finished'] })
    const webhooks = new Proxy(inner.webhooks, { get: () => () => Promise.reject(unavailable()) })
    const elsewhere = house(altered(inner, { webhooks }))
    await elsewhere.app.invoke({ log: 'quiet' }, at)
    expect(one.received).toEqual([])
    expect((await swept()).webhooks).toEqual({ delivered: 1, postponed: 0, failed: 0 })
    expect((await swept()).webhooks).toEqual({ delivered: 0, postponed: 0, failed: 0 })
    expect(one.received).toHaveLength(1)
  })
})

describe('many receivers that hang', () => {
  test('are left behind by those that answer', async () => {
    const checkpointer = memoryCheckpointer()
    const calls: string[] = []
    const send = vi.fn((url: string, { signal }: { signal: AbortSignal }) => {
      calls.push(url)
      if (url.includes('well')) return Promise.resolve(new Response(null, { status: 204 }))
      return new Promise<Response>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    const { office, app, swept } = house(checkpointer, { fetch: send as unknown as typeof fetch })
    const at = place()
    for (let count = 0; count < 12; count++)
      await office.createEndpoint(at.tenant, { url: `https://stuck-${count}.example/`, events: ['run.finished'] })
    vi.useFakeTimers()
    await app.invoke({ log: 'quiet' }, at)
    // Secrets are opened by threads of the machine, which no fake clock waits for.
    await until(async () => {
      await vi.advanceTimersByTimeAsync(5_000)
      const endpoints = await office.store.endpoints(at.tenant)
      expect(endpoints.filter(({ failures }) => failures > 0)).toHaveLength(12)
    })
    expect(calls).toHaveLength(12)
    await office.createEndpoint(at.tenant, { url: 'https://well.example/', events: ['run.finished'] })
    const quiet = house(checkpointer, {}, { webhooks: undefined as never })
    for (let count = 0; count < 3; count++) await quiet.app.invoke({ log: 'quiet' }, at)
    calls.length = 0
    const sweeping = swept()
    await until(() => expect(calls.filter((url) => url.includes('well'))).toHaveLength(3))
    expect(calls.length).toBeLessThan(10)
    const { value } = await settled(sweeping)
    expect(value?.webhooks.delivered).toBe(3)
    expect(value?.webhooks.postponed).toBeGreaterThan(3)
  })
})

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

  test('that hangs is given up after 15 seconds', async () => {
    const checkpointer = memoryCheckpointer()
    const hanging = vi.fn((_: string, init: { signal: AbortSignal }) => {
      return new Promise<Response>((_, reject) =>
        init.signal.addEventListener('abort', () => reject(init.signal.reason)),
      )
    })
    const { office, app } = house(checkpointer, { fetch: hanging as unknown as typeof fetch })
    const at = place()
    const { endpoint } = await office.createEndpoint(at.tenant, { url: 'https://a.example/', events: ['run.finished'] })
    vi.useFakeTimers()
    await app.invoke({ log: 'quiet' }, at)
    await until(() => expect(hanging).toHaveBeenCalled())
    const log = () => office.store.deliveries({ tenant: at.tenant, id: endpoint.id }, { limit: 10, offset: 0 })
    await vi.advanceTimersByTimeAsync(14_000)
    expect(await log()).toEqual([])
    await vi.advanceTimersByTimeAsync(1_100)
    expect(await log()).toMatchObject([{ outcome: 'postponed', status: null, error: 'It did not answer in 15 s.' }])
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
