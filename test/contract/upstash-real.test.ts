// What is kept in Upstash Redis, by the real client over a real redis-server behind the local front.
import { afterAll, beforeAll, describe } from 'vitest'
import { RealEngine } from '../../local/redis/real-engine.ts'
import { upstashFront } from '../../local/redis/server.ts'
import { redisServerFound, type ThrowawayRedis, throwawayRedis } from '../../local/redis/throwaway-redis.ts'
import type { StandIn } from '../../local/stand-in.ts'
import { upstashCache, upstashEventLog } from '../../src/adapters/upstash/index.ts'
import { withoutTimeLimits } from '../time-limits.ts'
import { cacheContract } from './cache/contract.ts'
import { eventLogContract } from './event-log/contract.ts'

const token = 'a-token'
const found = redisServerFound()
if (!found) console.warn('upstash-real.test.ts is skipped: there is no redis-server on PATH')

describe.skipIf(!found)('over a redis-server (skipped where none is installed)', () => {
  let server: ThrowawayRedis
  let engine: RealEngine
  let front: StandIn

  beforeAll(async () => {
    server = await throwawayRedis()
    engine = await RealEngine.open(server.port)
    front = await upstashFront({ token, engine })
  })
  afterAll(async () => {
    await front.close()
    engine.close()
    await server.stop()
  })

  const options = () => ({ url: front.url, token, secret: 's'.repeat(32), database: 'host/db' })
  withoutTimeLimits()
  cacheContract('in a real Redis', () => upstashCache(options()))
  eventLogContract('in a real Redis', () => upstashEventLog(options()))
})
