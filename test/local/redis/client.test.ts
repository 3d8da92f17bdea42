// What a caller of the real @upstash/redis client sees.
import { type Pipeline, Redis } from '@upstash/redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { upstashRedis } from '../../../local/redis/server.ts'
import type { StandIn } from '../../../local/stand-in.ts'
import { until } from '../../until.ts'

const token = 'a-token'
let server: StandIn
let redis: Redis

beforeAll(async () => {
  server = await upstashRedis({ token })
  redis = new Redis({ url: server.url, token })
})
afterAll(() => server.close())
beforeEach(async () => {
  await redis.flushall()
  server.log.length = 0
})

const operations = () => server.log.map((entry) => entry.operations)

const oddTexts = [
  '',
  'OK',
  'null',
  '42',
  'é',
  '👩‍🚀 🇫🇷',
  'nul\0nul',
  'line\r\nbreak',
  '"quoted" \\',
  '\u2028',
  '﷽',
  'x'.repeat(100_000),
]

describe.each(['base64', false] as const)('with the response encoding %s', (responseEncoding) => {
  const raw = () => new Redis({ url: server.url, token, responseEncoding, automaticDeserialization: false })

  it.each(oddTexts)('the text %j comes back from a string, a hash, a list and a script as it went in', async (text) => {
    const client = raw()
    await client.set(text, text)
    expect(await client.get(text)).toBe(text)
    await client.hset('hash', { [`field ${text}`]: text })
    expect(await client.hget('hash', `field ${text}`)).toBe(text)
    await client.rpush('list', text, text)
    expect(await client.lrange('list', 0, -1)).toEqual([text, text])
    expect(await client.eval('return {ARGV[1], {KEYS[1]}}', [text], [text])).toEqual([text, [text]])
    await client.del('list', 'hash')
  })

  it('OK is OK at the top, in a pipeline, in a transaction and inside a script’s table', async () => {
    const client = raw()
    expect(await client.set('a', 'b')).toBe('OK')
    expect(await client.pipeline().set('a', 'b').get('a').exec()).toEqual(['OK', 'b'])
    expect(await client.multi().set('a', 'b').get('a').exec()).toEqual(['OK', 'b'])
    expect(await client.eval("return {redis.call('set', 'a', 'b'), 'OK'}", [], [])).toEqual(['OK', 'OK'])
  })

  it('a missing key is null, also nested, and numbers are numbers', async () => {
    const client = raw()
    expect(await client.get('missing')).toBeNull()
    expect(await client.mget('missing', 'other')).toEqual([null, null])
    expect(await client.incrby('count', 41)).toBe(41)
  })
})

describe('requests', () => {
  it('a lone command travels in an automatic pipeline, and many of one tick travel together', async () => {
    await Promise.all([redis.set('a', 1), redis.set('b', 2), redis.incr('a')])
    expect(operations()).toEqual([['SET', 'SET', 'INCR']])
    expect(server.log[0]?.path).toBe('/pipeline')
    expect(await redis.mget('a', 'b')).toEqual([2, 2])
  })

  it('without automatic pipelines a command is one request to /', async () => {
    const plain = new Redis({ url: server.url, token, enableAutoPipelining: false })
    await plain.set('a', { nested: [1] })
    expect(await plain.get('a')).toEqual({ nested: [1] })
    expect(server.log.map(({ path }) => path)).toEqual(['/', '/'])
    expect(operations()).toEqual([['SET'], ['GET']])
  })

  it('a failing command of a pipeline fails alone', async () => {
    const pipeline: Pipeline = redis.pipeline()
    const replies = await pipeline.set('a', 'text').incr('a').get('a').exec({ keepErrors: true })
    expect(replies.map(({ error }) => error)).toEqual([
      undefined,
      'ERR value is not an integer or out of range',
      undefined,
    ])
    expect(replies[2]?.result).toBe('text')
  })

  it('a failing command of a transaction fails alone, a wrong one discards them all', async () => {
    await expect(redis.multi().set('a', 'text').incr('a').set('b', 1).exec()).rejects.toThrow('not an integer')
    expect(await redis.get('b')).toBe(1)
    const broken = redis.multi().set('c', 1)
    broken.hset('h', {})
    await expect(broken.exec()).rejects.toThrow("wrong number of arguments for 'hset' command")
    expect(await redis.exists('c')).toBe(0)
  })

  it('a wrong token is refused', async () => {
    const stranger = new Redis({ url: server.url, token: 'wrong' })
    await expect(stranger.get('a')).rejects.toThrow('WRONGPASS invalid or missing auth token')
  })

  it('a reply carries a sync token, and the client sends it with the next request', async () => {
    const client = new Redis({ url: server.url, token, enableAutoPipelining: false })
    await client.set('a', 1)
    const first = client.readYourWritesSyncToken
    await client.set('a', 2)
    expect(first).toBeTruthy()
    expect(client.readYourWritesSyncToken).not.toBe(first)
  })

  it('a reply that is dropped after the work was done has done the work', async () => {
    const client = new Redis({ url: server.url, token, retry: { retries: 0 } })
    server.knobs.fault = 'drop'
    await expect(client.incr('count')).rejects.toThrow()
    server.knobs.fault = 'none'
    expect(await client.get('count')).toBe(1)
  })
})

describe('scripts', () => {
  it('a script is sent whole once, and by its hash after that', async () => {
    const script = redis.createScript<string>("redis.call('set', KEYS[1], ARGV[1]) return redis.call('get', KEYS[1])")
    expect(await script.exec(['k'], ['v1'])).toBe('v1')
    expect(await script.exec(['k'], ['v2'])).toBe('v2')
    expect(operations()).toEqual([['EVALSHA'], ['EVAL'], ['EVALSHA']])
  })

  it('a read-only script may read and may not write', async () => {
    await redis.set('k', 'v')
    const reading = redis.createScript<string, true>("return redis.call('get', KEYS[1])", { readonly: true })
    expect(await reading.evalRo(['k'], [])).toBe('v')
    const writing = redis.createScript<string, true>("return redis.call('del', KEYS[1])", { readonly: true })
    await expect(writing.evalRo(['k'], [])).rejects.toThrow('Write commands are not allowed from read-only scripts.')
    expect(await redis.get('k')).toBe('v')
  })

  it('a lock is released by its holder only, under the shebang that Upstash adds', async () => {
    const release = `#!lua flags=allow-key-locking
      if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end`
    expect(await redis.set('lock', 'mine', { nx: true, px: 10_000 })).toBe('OK')
    expect(await redis.set('lock', 'yours', { nx: true, px: 10_000 })).toBeNull()
    expect(await redis.eval(release, ['lock'], ['yours'])).toBe(0)
    expect(await redis.eval(release, ['lock'], ['mine'])).toBe(1)
  })

  it('a sliding window counts with timestamps that no 32-bit integer holds', async () => {
    const window = `
      local now, size, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
      local current = tonumber(redis.call('GET', KEYS[1]) or '0')
      local previous = tonumber(redis.call('GET', KEYS[2]) or '0')
      local part = (now % size) / size
      if math.floor((1 - part) * previous) + current >= limit then return {-1, math.floor(now / size) * size} end
      redis.call('INCRBY', KEYS[1], 1)
      redis.call('PEXPIRE', KEYS[1], size * 2 + 1000)
      return {limit - current - 1, math.floor(now / size) * size}`
    const now = 1_800_000_012_345
    const take = () => redis.eval<number[], number[]>(window, ['w:1', 'w:0'], [now, 10_000, 2])
    expect([await take(), await take(), await take()]).toEqual([
      [1, 1_800_000_010_000],
      [0, 1_800_000_010_000],
      [-1, 1_800_000_010_000],
    ])
    expect(await redis.pttl('w:1')).toBeGreaterThan(20_000)
  })

  it('a script that fails names its line', async () => {
    await expect(redis.eval("local x = 1\nreturn redis.call('incr', x, x)", [], [])).rejects.toThrow(
      'on @user_script:2.',
    )
  })
})

describe('streams', () => {
  it('entries are added, read from an id on, and trimmed', async () => {
    const first = await redis.xadd('s', '*', { kind: 'text-delta', text: 'Hi 👋' })
    const second = await redis.xadd('s', '*', { kind: 'end' })
    expect(Object.keys(await redis.xrange('s', '-', '+'))).toEqual([first, second])
    expect(await redis.xread('s', first)).toEqual([['s', [[second, ['kind', 'end']]]]])
    expect(await redis.xread('s', second)).toBeNull()
    await redis.xadd('s', '*', { kind: 'more' }, { trim: { type: 'MAXLEN', comparison: '=', threshold: 1 } })
    expect(await redis.xlen('s')).toBe(1)
  })

  it('a blocking read is refused', async () => {
    await expect(redis.xread('s', '0', { blockMS: 10 })).rejects.toThrow('XREAD BLOCK is not available')
  })
})

describe('sorted sets, sets and scans', () => {
  it('a scan meets every key once, even when others come and go between its pages', async () => {
    const names = Array.from({ length: 95 }, (_, at) => `key:${at}`)
    await redis.mset(Object.fromEntries(names.map((name) => [name, 1])))
    await redis.set('other', 1)
    const found: string[] = []
    let cursor = '0'
    let pages = 0
    do {
      const [next, page] = await redis.scan(cursor, { match: 'key:*', count: 10 })
      found.push(...page)
      cursor = next
      pages += 1
      await redis.del('other', `late:${pages}`)
      await redis.set(`late:${pages}`, 1)
    } while (cursor !== '0' && pages < 50)
    expect(found.toSorted()).toEqual(names.toSorted())
    expect(pages).toBeGreaterThan(5)
  })

  it('members are ranged by score with their scores', async () => {
    await redis.zadd('z', { score: 1, member: 'a' }, { score: 2.5, member: 'b' }, { score: 3, member: 'c' })
    expect(await redis.zrange('z', 2, '+inf', { byScore: true, withScores: true })).toEqual(['b', 2.5, 'c', 3])
    expect(await redis.zincrby('z', 0.1, 'a')).toBe(1.1)
  })
})

describe('publish and subscribe', () => {
  it('a subscriber hears what is published after it began, by channel and by pattern', async () => {
    const heard: unknown[] = []
    const byName = redis.subscribe<string>('news')
    const byPattern = redis.psubscribe<string>('n*')
    byName.on('message', ({ channel, message }) => heard.push([channel, message]))
    byPattern.on('pmessage', ({ pattern, channel, message }) => heard.push([pattern, channel, message]))
    await Promise.all(
      [byName, byPattern].map(
        (one) => new Promise((resolve) => one.on(one === byName ? 'subscribe' : 'psubscribe', resolve)),
      ),
    )
    expect(await redis.publish('news', { text: 'é, with a comma' })).toBe(2)
    expect(await redis.publish('elsewhere', 'x')).toBe(0)
    await until(() => expect(heard).toHaveLength(2))
    expect(heard).toContainEqual(['news', { text: 'é, with a comma' }])
    expect(heard).toContainEqual(['n*', 'news', { text: 'é, with a comma' }])
    await byName.unsubscribe()
    await byPattern.unsubscribe()
    await until(async () => expect(await redis.publish('news', 'x')).toBe(0))
  })
})
