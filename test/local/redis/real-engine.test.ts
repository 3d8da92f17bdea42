// The REST protocol over a real redis-server: what Upstash takes and Redis does not, and what one connection cannot do.
import { Redis } from '@upstash/redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { RealEngine } from '../../../local/redis/real-engine.ts'
import { upstashFront, upstashRedis } from '../../../local/redis/server.ts'
import { redisServerFound, type ThrowawayRedis, throwawayRedis } from '../../../local/redis/throwaway-redis.ts'
import type { StandIn } from '../../../local/stand-in.ts'

const token = 'a-token'
const found = redisServerFound()
if (!found) console.warn('real-engine.test.ts is skipped: there is no redis-server on PATH')

describe.skipIf(!found)('over a real redis-server', () => {
  let server: ThrowawayRedis
  let engine: RealEngine
  let front: StandIn
  let redis: Redis

  beforeAll(async () => {
    server = await throwawayRedis()
    engine = await RealEngine.open(server.port)
    front = await upstashFront({ token, engine })
    redis = new Redis({ url: front.url, token, automaticDeserialization: false })
  })
  afterAll(async () => {
    await front.close()
    engine.close()
    await server.stop()
  })
  beforeEach(() => redis.flushall())

  const ask = (url: string, path: string, body: unknown) =>
    fetch(url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    }).then(async (response) => [response.status, await response.json()])

  it('requests are answered as our own engine answers them', async () => {
    const own = await upstashRedis({ token })
    const requests: [string, unknown][] = [
      ['/', ['SET', 'a', 'Grüße 😀 \0']],
      ['/', ['GET', 'a']],
      ['/', ['INCR', 'a']],
      ['/', ['FOO', 'a']],
      ['/', ['BLPOP', 'a', 0]],
      ['/', ['XREAD', 'BLOCK', 0, 'STREAMS', 's', '$']],
      ['/pipeline', [['LPUSH', 'l', 1, 2], ['INCR', 'a'], ['LRANGE', 'l', 0, -1], ['HGETALL', 'none'], ['MULTI']]],
      [
        '/multi-exec',
        [
          ['SET', 'n', '9007199254740992'],
          ['INCR', 'a'],
          ['INCR', 'n'],
        ],
      ],
      ['/multi-exec', [['SET', 'b', 'c'], ['GET']]],
      [
        '/multi-exec',
        [
          ['SET', 'b', 'c'],
          ['WATCH', 'b'],
        ],
      ],
      ['/', ['EXISTS', 'b']],
      ['/', ['EVAL', 'return {1, {ARGV[1], false}}', 0, 'x']],
    ]
    for (const [path, body] of requests) {
      expect(await ask(front.url, path, body), JSON.stringify(body)).toEqual(await ask(own.url, path, body))
    }
    await own.close()
  })

  it('a script with Upstash’s flag runs, and is found by the hash of what was sent', async () => {
    const script = '#!lua flags=allow-key-locking\nreturn redis.call("SET", KEYS[1], ARGV[1])'
    const locking = redis.createScript<string>(script)
    expect(await redis.scriptExists(locking.sha1)).toEqual([0])
    expect(await locking.exec(['a'], ['one'])).toBe('OK')
    expect(await locking.evalsha(['a'], ['two'])).toBe('OK')
    expect(await redis.get('a')).toBe('two')
    expect(await redis.scriptExists(locking.sha1)).toEqual([1])
    expect(await redis.multi().evalsha(locking.sha1, ['a'], ['three']).get('a').exec()).toEqual(['OK', 'three'])
    await redis.scriptFlush()
    await expect(locking.evalsha(['a'], ['four'])).rejects.toThrow('NOSCRIPT')
  })

  it('a script keeps its other flags, and its lines their numbers', async () => {
    const reading = '#!lua flags=no-writes,allow-key-locking\nreturn redis.call("SET", KEYS[1], "x")'
    await expect(redis.eval(reading, ['a'], [])).rejects.toThrow(
      'Write commands are not allowed from read-only scripts',
    )
    const loaded = await redis.scriptLoad('#!lua flags=allow-key-locking\n\nerror("here")')
    await expect(redis.evalsha(loaded, [], [])).rejects.toThrow('user_script:3: here')
  })

  it('callers that ask at once get each their own answer, also where it comes in pieces', async () => {
    const sizes = Array.from({ length: 60 }, (_, index) => (index % 7) * 50_000 + index)
    const texts = await Promise.all(
      sizes.map(async (size, index) => {
        await redis.set(`k${index}`, 'x'.repeat(size))
        return redis.get<string>(`k${index}`)
      }),
    )
    expect(texts.map((text) => text?.length)).toEqual(sizes)
  })

  it('a transaction is one unit among callers that ask at once', async () => {
    const increments = Array.from({ length: 50 }, () => redis.multi().incr('n').incr('n').exec<[number, number]>())
    for (const [first, second] of await Promise.all(increments)) expect(Number(second)).toBe(Number(first) + 1)
  })

  it('a subscription is refused in words', async () => {
    expect(await ask(front.url, '/subscribe/a', [])).toEqual([
      400,
      { error: 'ERR subscribe is not available over a real redis-server' },
    ])
  })

  it('a server that is gone is a lost connection, not a wait', async () => {
    const dying = await throwawayRedis()
    const lost = await RealEngine.open(dying.port)
    const waiting = lost.execute(['DEBUG', 'SLEEP', '5']).catch((error: unknown) => error)
    await dying.stop()
    expect(await waiting).toBeInstanceOf(Error)
    await expect(lost.execute(['PING'])).rejects.toThrow()
  })
})
