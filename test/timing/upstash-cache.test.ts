// A turn gives Redis 50 ms: the longest state that is kept is read in them, and a Redis that hangs is given up after them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { upstashRedis } from '../../local/redis/server.ts'
import type { StandIn } from '../../local/stand-in.ts'
import { upstashCache } from '../../src/adapters/upstash/index.ts'
import { isRecollectError } from '../../src/index.ts'
import { withoutTimeLimits } from '../time-limits.ts'

const token = 'a-token'
const key = { tenant: 'acme', thread: 'first', owner: 'alex' }
let redis: StandIn

beforeAll(async () => {
  redis = await upstashRedis({ token })
})
afterAll(() => redis.close())

const cacheOf = () => upstashCache({ url: redis.url, token, secret: 's'.repeat(32), database: 'host/db' })

describe('a state of 750 KB', () => {
  withoutTimeLimits()

  it('is read and opened in 50 ms', async () => {
    const cache = cacheOf()
    await cache.replace(key, { seq: 5, hash: 'h5', text: 'x'.repeat(750_000) })
    const times: number[] = []
    for (let time = 0; time < 5; time++) {
      const startedAt = performance.now()
      expect((await cache.read(key)).map((entry) => entry.text.length)).toEqual([750_000])
      times.push(performance.now() - startedAt)
    }
    expect(Math.min(...times)).toBeLessThan(50)
  })
})

describe('a Redis that hangs', () => {
  it('is given up after 50 ms, and nothing is said of what was asked', async () => {
    const cache = cacheOf()
    redis.knobs.fault = 'hang'
    const startedAt = performance.now()
    const failure = await cache.read(key).catch((error: unknown) => error)
    redis.knobs.fault = 'none'
    expect(performance.now() - startedAt).toBeLessThan(500)
    expect(isRecollectError(failure) && failure.code).toBe('storage_unavailable')
    expect(String(failure)).not.toMatch(/recollect:|LRANGE|lrange/)
  })
})
