// The REST protocol as it crosses the wire, without a client in between.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { upstashRedis } from '../../../local/redis/server.ts'
import type { StandIn } from '../../../local/stand-in.ts'

const token = 'a-token'
let server: StandIn

beforeAll(async () => {
  server = await upstashRedis({ token })
})
afterAll(() => server.close())
beforeEach(() => ask('/', '["FLUSHALL"]'))

const authorization = `Bearer ${token}`

function ask(
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const method = body === undefined ? 'GET' : 'POST'
  return fetch(server.url + path, {
    method,
    headers: { authorization, ...headers },
    ...(body !== undefined && { body }),
  })
}

async function answer(...request: Parameters<typeof ask>): Promise<unknown[]> {
  const response = await ask(...request)
  return [response.status, await response.json()]
}

describe('commands in a path', () => {
  it('a command is its segments, then the body, then the query', async () => {
    expect(await answer('/set/a/b?EX=100')).toEqual([200, { result: 'OK' }])
    expect(await answer('/ttl/a')).toEqual([200, { result: 100 }])
    expect(await answer('/set/a?PX=50000&NX=', 'from the body')).toEqual([200, { result: null }])
    expect(await answer('/SET/b?EX=50', 'from the body')).toEqual([200, { result: 'OK' }])
    expect(await answer('/get/b')).toEqual([200, { result: 'from the body' }])
  })

  it('segments are percent-decoded, and a body is kept byte for byte', async () => {
    expect(await answer('/set/a%2Fb%20%F0%9F%98%80/%C3%A9')).toEqual([200, { result: 'OK' }])
    expect(await answer('/', '["GET","a/b 😀"]')).toEqual([200, { result: 'é' }])
    await ask('/set/bytes', new Uint8Array([0, 255, 128]))
    expect(await answer('/get/bytes', undefined, { 'upstash-encoding': 'base64' })).toEqual([200, { result: 'AP+A' }])
    expect(await answer('/strlen/bytes')).toEqual([200, { result: 3 }])
  })

  it('the token may stand in the query, and is no argument there', async () => {
    const response = await fetch(`${server.url}/set/a/b?_token=${token}&EX=10`)
    expect(await response.json()).toEqual({ result: 'OK' })
  })
})

describe('replies', () => {
  it('64-bit counters keep every digit', async () => {
    await ask('/', '["SET","n","9007199254740992"]')
    const response = await ask('/', '["INCR","n"]')
    expect(await response.text()).toBe('{"result":9007199254740993}')
  })

  it('base64 encodes every string but a top-level OK, and no number, null or error', async () => {
    const encoded = { 'upstash-encoding': 'base64' }
    expect(await answer('/', '["SET","a","OK"]', encoded)).toEqual([200, { result: 'OK' }])
    expect(await answer('/', '["PING"]', encoded)).toEqual([200, { result: 'UE9ORw==' }])
    expect(await answer('/', '["MGET","a","b"]', encoded)).toEqual([200, { result: ['T0s=', null] }])
    expect(await answer('/', '["STRLEN","a"]', encoded)).toEqual([200, { result: 2 }])
    expect(await answer('/', '["INCR","a"]', encoded)).toEqual([
      400,
      { error: 'ERR value is not an integer or out of range' },
    ])
    const nested = "[\"EVAL\",\"return {redis.call('set','x','y'),{'z'}}\",0]"
    expect(await answer('/', nested, encoded)).toEqual([200, { result: ['T0s=', ['eg==']] }])
  })

  it('RESP2 is given on request, without base64 and not for a transaction', async () => {
    const resp2 = { 'upstash-response-format': 'resp2' }
    const response = await ask(
      '/pipeline',
      '[["SET","a","é"],["GET","a"],["LPUSH","l","x"],["LRANGE","l",0,-1],["GET","no"],["INCR","a"]]',
      resp2,
    )
    expect(response.headers.get('content-type')).toBe('application/octet-stream')
    expect(await response.text()).toBe(
      '+OK\r\n$2\r\né\r\n:1\r\n*1\r\n$1\r\nx\r\n$-1\r\n-ERR value is not an integer or out of range\r\n',
    )
    expect((await ask('/', '["GET","a"]', { ...resp2, 'upstash-encoding': 'base64' })).status).toBe(400)
    expect((await ask('/multi-exec', '[["GET","a"]]', resp2)).status).toBe(400)
  })

  it('every reply carries a sync token', async () => {
    const first = (await ask('/', '["SET","a","b"]')).headers.get('upstash-sync-token')
    const second = (await ask('/', '["SET","a","c"]')).headers.get('upstash-sync-token')
    expect(first).toBeTruthy()
    expect(second).not.toBe(first)
  })
})

describe('refusals', () => {
  it('a missing or wrong token is a 401', async () => {
    const response = await fetch(`${server.url}/get/a`)
    expect(response.status).toBe(401)
    expect(await response.json()).toEqual({ error: expect.stringContaining('WRONGPASS invalid or missing auth token') })
  })

  it('an unknown command is named with its arguments, a blocking one is said to be unavailable', async () => {
    expect(await answer('/', '["FOO","a"]')).toEqual([
      400,
      { error: "ERR unknown command 'FOO', with args beginning with: 'a' " },
    ])
    for (const name of ['BLPOP', 'WATCH', 'MULTI', 'SUBSCRIBE'])
      expect(await answer('/', JSON.stringify([name, 'a']))).toEqual([
        400,
        { error: expect.stringContaining(`ERR Command is not available: '${name}'.`) },
      ])
  })

  it.each(['', '{', '{}', '[]', '[["GET","a"]]', '[null]', '["GET",{}]'])('the body %j is no command', async (body) => {
    const [status, reply] = await answer('/', body)
    expect(status).toBe(400)
    expect(reply).toEqual({ error: expect.stringContaining('ERR failed to parse') })
  })

  it.each(['["GET","a"]', '[]', '[[]]', '7'])('the body %j is no pipeline and no transaction', async (body) => {
    expect((await ask('/pipeline', body)).status).toBe(400)
    expect((await ask('/multi-exec', body)).status).toBe(400)
  })

  it('a transaction with a command that cannot be queued does nothing', async () => {
    expect(await answer('/multi-exec', '[["SET","a","b"],["GET"]]')).toEqual([
      400,
      { error: "ERR wrong number of arguments for 'get' command" },
    ])
    expect(await answer('/exists/a')).toEqual([200, { result: 0 }])
  })

  it('a request of more than 10 MB is refused with both figures', async () => {
    const body = JSON.stringify(['SET', 'a', 'x'.repeat(10 * 1024 * 1024)])
    expect(await answer('/', body)).toEqual([
      400,
      { error: `ERR max request size exceeded. Limit: 10485760 bytes, Actual: ${body.length} bytes` },
    ])
    expect(await answer('/exists/a')).toEqual([200, { result: 0 }])
  })
})

describe('subscriptions', () => {
  it('each name is announced, then messages follow until the caller leaves', async () => {
    const leaving = new AbortController()
    const response = await fetch(`${server.url}/subscribe/a/b`, { headers: { authorization }, signal: leaving.signal })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const readUntil = async (end: string) => {
      while (!text.endsWith(end)) text += (await reader?.read())?.value ?? ''
    }
    await readUntil('data: subscribe,b,2\n\n')
    expect(await answer('/publish/b/two%0Alines')).toEqual([200, { result: 1 }])
    await readUntil('lines\n\n')
    expect(text).toBe('data: subscribe,a,1\n\ndata: subscribe,b,2\n\ndata: message,b,two\ndata: lines\n\n')
    expect(await answer('/pubsub/numsub/a')).toEqual([200, { result: ['a', 1] }])
    leaving.abort()
    await expect.poll(() => answer('/pubsub/numsub/a')).toEqual([200, { result: ['a', 0] }])
  })
})
