// What a turn makes true is told to whoever asked to be told: it costs no statement more, and the sweep tells what the turn cannot.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { neonCheckpointer } from '../../src/adapters/neon/index.ts'
import { webhookEvents } from '../../src/ports/webhooks.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'
import { altered, unavailable } from '../runtime/doubles.ts'
import { arrived, house, place, receiving, shown } from './house.ts'

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
