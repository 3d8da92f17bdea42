// The cache in Upstash Redis, by the real client over the local stand-in; and what a hostile or failing Redis does to it.
import { Redis } from '@upstash/redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { upstashRedis } from '../../../local/redis/server.ts'
import type { StandIn } from '../../../local/stand-in.ts'
import { upstashCache } from '../../../src/adapters/upstash/index.ts'
import { withoutTimeLimits } from '../../time-limits.ts'
import { cacheContract } from './contract.ts'

const token = 'a-token'
const secret = 's'.repeat(32)
let redis: StandIn

beforeAll(async () => {
  redis = await upstashRedis({ token })
})
afterAll(() => redis.close())

const cacheOf = (change: { secret?: string; database?: string } = {}) =>
  upstashCache({ url: redis.url, token, secret, database: 'host/db', ...change })

describe('however long it takes', () => {
  withoutTimeLimits()
  cacheContract('in Upstash Redis', () => cacheOf())
})

describe('the cache in Upstash Redis', () => {
  withoutTimeLimits()
  const key = { tenant: 'acme', thread: 'first', owner: 'alex' }
  const entries = [
    { seq: 1, hash: 'h1', text: 'one' },
    { seq: 2, hash: 'h2', text: 'two' },
    { seq: 3, hash: 'h3', text: 'three' },
  ] as const

  async function filled() {
    const cache = cacheOf()
    await new Redis({ url: redis.url, token }).flushdb()
    await cache.replace(key, entries[0])
    await cache.append(key, entries[0], entries.slice(1))
    return { cache, ...(await raw()) }
  }

  async function raw() {
    const client = new Redis({ url: redis.url, token, automaticDeserialization: false })
    const [name = ''] = await client.keys('recollect:*')
    return { client, name, elements: await client.lrange<string>(name, 0, -1) }
  }

  it('is one command to read and one to write', async () => {
    const { cache } = await filled()
    redis.log.length = 0
    await cache.read(key)
    await cache.append(key, entries[2], [{ seq: 4, hash: 'h4', text: 'four' }])
    expect(redis.log.flatMap(({ operations }) => operations)).toEqual(['LRANGE', 'EVALSHA'])
    await cache.delete(key)
  })

  it('keeps a state of 750 KB, and of a longer one nothing', async () => {
    const { cache } = await filled()
    const text = 'x'.repeat(750_000)
    await cache.replace(key, { seq: 5, hash: 'h5', text })
    expect((await cache.read(key)).map((entry) => entry.text.length)).toEqual([750_000])
    await cache.replace(key, { seq: 6, hash: 'h6', text: `${text}y` })
    expect(await cache.read(key)).toEqual([])
  })

  it('shows nothing of a thread in Redis', async () => {
    const { cache, name, elements } = await filled()
    expect(`${name} ${elements.join(' ')}`).not.toMatch(/acme|first|alex|one|three/)
    await cache.delete(key)
  })

  it.each([
    ['an element is changed', (elements: string[]) => elements.with(1, `${elements[1]?.slice(0, -4)}AAA=`)],
    ['an element is missing in the middle', (elements: string[]) => elements.toSpliced(1, 1)],
    ['the beginning is missing', (elements: string[]) => elements.slice(1)],
    ['elements are swapped', ([first = '', second = '', third = '']: string[]) => [first, third, second]],
    ['a header is forged', (elements: string[]) => elements.with(2, `${elements[2]?.replace('3.h3.', '9.h9.')}`)],
    ['there is garbage', () => ['garbage']],
    ['there is garbage behind', (elements: string[]) => [...elements, '4.h4.h3.!!!']],
  ])('is a miss when %s', async (_what, tampered) => {
    const { cache, client, name, elements } = await filled()
    await client.del(name)
    await client.rpush(name, ...tampered(elements))
    expect(await cache.read(key)).toEqual([])
    await client.del(name)
  })

  it('is a shorter thread, and no other, when the end is missing', async () => {
    const { cache, client, name } = await filled()
    await client.rpop(name)
    expect((await cache.read(key)).map(({ seq }) => seq)).toEqual([1, 2])
    await cache.delete(key)
  })

  it('opens nothing with another secret or for another database', async () => {
    const { cache } = await filled()
    expect(await cacheOf({ secret: 't'.repeat(32) }).read(key)).toEqual([])
    expect(await cacheOf({ database: 'other/db' }).read(key)).toEqual([])
    await cache.delete(key)
  })

  it('refuses a secret that is too short to be one', () => {
    expect(() => cacheOf({ secret: 'short' })).toThrow('32 characters')
  })
})
