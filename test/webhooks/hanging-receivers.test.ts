// A receiver that hangs is given up, and holds up nobody else.
import { describe, expect, test, vi } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { settled } from '../runtime/doubles.ts'
import { until } from '../until.ts'
import { house, place } from './house.ts'

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
})
