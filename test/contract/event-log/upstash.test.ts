// What runs have told, in Upstash Redis by the real client over the local stand-in; and what a hostile or failing Redis does to it.
import { Redis } from '@upstash/redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { upstashRedis } from '../../../local/redis/server.ts'
import type { StandIn } from '../../../local/stand-in.ts'
import { upstashEventLog } from '../../../src/adapters/upstash/index.ts'
import { isRecollectError } from '../../../src/index.ts'
import { withoutTimeLimits } from '../../time-limits.ts'
import { eventLogContract } from './contract.ts'

const token = 'a-token'
let redis: StandIn
withoutTimeLimits()

beforeAll(async () => {
  redis = await upstashRedis({ token })
})
afterAll(() => redis.close())

const logOf = (change: { secret?: string; database?: string } = {}) =>
  upstashEventLog({ url: redis.url, token, secret: 's'.repeat(32), database: 'host/db', ...change })

eventLogContract('in Upstash Redis', () => logOf())

describe('the event log in Upstash Redis', () => {
  const key = { tenant: 'acme', thread: 'first', owner: 'alex' }

  async function filled() {
    const client = new Redis({ url: redis.url, token, automaticDeserialization: false })
    await client.flushdb()
    const log = logOf()
    for (const index of [0, 1, 2]) await log.append(key, { epoch: 1, index, text: `part ${index}` })
    const [name = ''] = await client.keys('recollect:*')
    return { log, client, name, elements: await client.lrange<string>(name, 0, -1) }
  }

  it('is one command a part, and one to read on', async () => {
    const { log } = await filled()
    redis.log.length = 0
    await log.append(key, { epoch: 1, index: 3, text: 'part 3' })
    await log.read(key, { epoch: 1, index: 2 })
    expect(redis.log.flatMap(({ operations }) => operations)).toEqual(['EVALSHA', 'LRANGE'])
  })

  it('shows nothing of a thread in Redis, and goes by itself', async () => {
    const { client, name, elements } = await filled()
    expect(`${name} ${elements.join(' ')}`).not.toMatch(/acme|first|alex|part/)
    expect(await client.pttl(name)).toBeGreaterThan(500_000)
    expect(await client.pttl(name)).toBeLessThanOrEqual(600_000)
  })

  it.each([
    ['an element is changed', (elements: string[]) => elements.with(1, `${elements[1]?.slice(0, -4)}AAA=`), ['part 0']],
    [
      'a header is forged',
      (elements: string[]) => elements.with(2, `${elements[2]?.replace('1.2.', '9.2.')}`),
      ['part 0', 'part 1'],
    ],
    ['there is garbage', () => ['garbage'], []],
    ['there is garbage behind', (elements: string[]) => [...elements, '1.3.!!!'], ['part 0', 'part 1', 'part 2']],
  ])('is read as far as it is whole when %s', async (_what, tampered, left) => {
    const { log, client, name, elements } = await filled()
    await client.del(name)
    await client.rpush(name, ...tampered(elements))
    expect((await log.read(key)).map(({ text }) => text)).toEqual(left)
  })

  it('opens nothing with another secret or for another database', async () => {
    await filled()
    expect(await logOf({ secret: 't'.repeat(32) }).read(key)).toEqual([])
    expect(await logOf({ database: 'other/db' }).read(key)).toEqual([])
  })

  it('says nothing of what it asked when Redis fails', async () => {
    const { log } = await filled()
    redis.knobs.fault = 'error'
    const failure = await log.append(key, { epoch: 1, index: 3, text: 'secret' }).catch((error: unknown) => error)
    redis.knobs.fault = 'none'
    expect(isRecollectError(failure) && failure.code).toBe('storage_unavailable')
    expect(String(failure)).not.toMatch(/recollect:|EVAL|secret/)
  })
})
