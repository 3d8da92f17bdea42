// The mark that tells a cron of turns: it is there though Redis was away for a moment, since without it nobody looks for an hour.
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { upstashRedis } from '../../../local/redis/server.ts'
import type { StandIn } from '../../../local/stand-in.ts'
import { upstashActivity } from '../../../src/adapters/upstash/index.ts'
import { until } from '../../until.ts'

const token = 'a-token'
let redis: StandIn
beforeAll(async () => {
  redis = await upstashRedis({ token })
})
afterAll(() => redis.close())
beforeEach(() => {
  redis.log.length = 0
})

const activityOf = (database: string) => upstashActivity({ url: redis.url, token, database })

test('a mark is seen, and is written once in five minutes', async () => {
  const activity = activityOf('one')
  expect(await activity.seen()).toBe(false)
  await activity.mark()
  await activity.mark()
  expect(await activity.seen()).toBe(true)
  expect(redis.log.flatMap(({ operations }) => operations)).toEqual(['GET', 'SET', 'GET'])
})

test('a mark that Redis did not take is written again, without another turn', async () => {
  const activity = activityOf('two')
  redis.knobs.fault = 'error'
  const marking = activity.mark()
  await until(() => expect(redis.log.length).toBeGreaterThan(0))
  redis.knobs.fault = 'none'
  await marking
  expect(await activity.seen()).toBe(true)
})

test('a mark that Redis will not take at all is left to the next turn, and rejects nothing', async () => {
  const activity = activityOf('three')
  redis.knobs.fault = 'error'
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  const marking = activity.mark()
  let done = false
  void marking.then(() => {
    done = true
  })
  // The clock goes on for as long as it is tried.
  await until(async () => {
    await vi.advanceTimersByTimeAsync(1_000)
    expect(done).toBe(true)
  })
  vi.useRealTimers()
  redis.knobs.fault = 'none'
  expect(await activity.seen()).toBe(false)
  await activity.mark()
  expect(await activity.seen()).toBe(true)
})
