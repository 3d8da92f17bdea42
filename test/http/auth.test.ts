// Tokens: which are believed, which are not, and what is said of those.
import { sign } from 'hono/jwt'
import { afterEach, expect, test, vi } from 'vitest'
import { type Auth, serve } from '../../src/http/index.ts'
import { conforming, deployment, secret, tokenFor } from './deployment.ts'

afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

type Headers = Record<string, string>

async function info(
  app: { request: (path: string, init: RequestInit) => Response | Promise<Response> },
  headers: Headers,
) {
  return conforming('GET', '/info', await app.request('/info', { headers }))
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

test('a token is taken from either header, the bearer first', async () => {
  const { app } = deployment()
  expect((await info(app, bearer(await tokenFor()))).status).toBe(200)
  expect((await info(app, { 'x-api-key': await tokenFor() })).status).toBe(200)
  expect((await info(app, { authorization: 'Basic abc', 'x-api-key': await tokenFor() })).status).toBe(200)
  expect((await info(app, { ...bearer('wrong'), 'x-api-key': await tokenFor() })).status).toBe(401)
})

test('without a token the answer says how to send one', async () => {
  const { app } = deployment()
  for (const headers of [{}, { authorization: 'Bearer' }, { authorization: 'Basic abc' }, { 'x-api-key': ' ' }]) {
    const answer = await info(app, headers as Headers)
    expect(answer).toMatchObject({ status: 401, body: { code: 'token_missing' } })
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm=/)
  }
})

const base64 = (value: unknown) =>
  btoa(JSON.stringify(value)).replaceAll('=', '').replaceAll('+', '-').replaceAll('/', '_')

test('tokens that are forged, stale, unfinished or for others are refused without quoting them', async () => {
  const { app } = deployment({ auth: { secret, issuer: 'us', audience: 'here' } })
  const sound = { iss: 'us', aud: 'here' }
  const good = await tokenFor(sound)
  const [head = '', body = '', mark = ''] = good.split('.')
  const now = Math.floor(Date.now() / 1000)
  const operator = base64({ tenant: 'acme', sub: 'alex', scope: 'operate', exp: now + 60, ...sound })
  const refused: Record<string, string> = {
    'no token at all': 'abc',
    'algorithm none': `${base64({ alg: 'none', typ: 'JWT' })}.${body}.`,
    'algorithm none, in capitals': `${base64({ alg: 'NONE', typ: 'JWT' })}.${body}.`,
    'another algorithm': await sign({ ...sound, tenant: 'acme', sub: 'alex', exp: now + 60 }, secret, 'HS512'),
    'other claims under the same signature': `${head}.${operator}.${mark}`,
    'no signature': `${head}.${body}.`,
    'another secret': await tokenFor(sound, 'another secret, also thirty-two bytes'),
    expired: await tokenFor({ ...sound, exp: now - 1 }),
    'not yet valid': await tokenFor({ ...sound, nbf: now + 60 }),
    'never expiring': await tokenFor({ ...sound, exp: undefined }),
    'expiring in words': await tokenFor({ ...sound, exp: 'tomorrow' }),
    'another issuer': await tokenFor({ ...sound, iss: 'them' }),
    'no issuer': await tokenFor({ aud: 'here' }),
    'another audience': await tokenFor({ ...sound, aud: ['there'] }),
    'no audience': await tokenFor({ iss: 'us' }),
    'no tenant': await tokenFor({ ...sound, tenant: undefined }),
    'an empty tenant': await tokenFor({ ...sound, tenant: '' }),
    'a tenant that is a list': await tokenFor({ ...sound, tenant: ['acme'] }),
    'a tenant with NUL': await tokenFor({ ...sound, tenant: 'ac\u0000me' }),
    'no user': await tokenFor({ ...sound, sub: undefined }),
    'a user that is a number': await tokenFor({ ...sound, sub: 7 }),
    'claims that are a list': await sign([] as never, secret),
  }
  expect((await info(app, bearer(good))).status).toBe(200)
  for (const [what, token] of Object.entries(refused)) {
    const answer = await info(app, bearer(token))
    expect(answer, what).toMatchObject({ status: 401, body: { code: 'token_invalid' } })
    expect(answer.headers.get('www-authenticate'), what).toContain('error="invalid_token"')
    for (const part of token.split('.').filter(({ length }) => length > 8))
      expect(answer.text, what).not.toContain(part)
  }
})

test('an issuer whose clock is ahead locks nobody out', async () => {
  const ahead = await tokenFor({ iat: Math.floor(Date.now() / 1000) + 30 })
  expect((await info(deployment().app, bearer(ahead))).status).toBe(200)
})

test('a route asks for its scope, as words or as a list', async () => {
  const { as } = deployment()
  expect((await as({ scope: ['chat', 'else'] })('POST', '/threads', {})).status).toBe(200)
  for (const scope of ['', 'chatty', 'approve', [], undefined, 7, { chat: true }]) {
    const answer = await as({ scope })('POST', '/threads', {})
    expect(answer, JSON.stringify(scope)).toMatchObject({ status: 403, body: { code: 'scope_missing' } })
    expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope", scope="chat"')
  }
})

test('a secret that is too short to be one is refused at the start', () => {
  expect(() => deployment({ auth: { secret: 'short' } })).toThrow(/at least 32 bytes/)
  expect(() => deployment({ auth: { secret: '' } })).toThrow(expect.objectContaining({ code: 'environment_invalid' }))
})

async function keyPair(kid: string) {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const open = { ...(await crypto.subtle.exportKey('jwk', publicKey)), kid, alg: 'ES256' }
  const closed = { ...(await crypto.subtle.exportKey('jwk', privateKey)), kid, alg: 'ES256' }
  const claims = { tenant: 'acme', sub: 'alex', scope: 'chat', exp: Math.floor(Date.now() / 1000) + 3600 }
  return { open, token: await sign(claims, closed as never, 'ES256') }
}

test('a public key cannot be taken for a secret', async () => {
  const { open, token } = await keyPair('k1')
  const { app } = deployment({ auth: { jwks: { keys: [open] } } })
  expect((await info(app, bearer(token))).status).toBe(200)
  const claims = { tenant: 'acme', sub: 'alex', scope: 'chat', exp: Math.floor(Date.now() / 1000) + 3600 }
  for (const key of [JSON.stringify(open), open.x ?? '', secret]) {
    const mark = await sign(claims, key, 'HS256')
    const forged = `${base64({ alg: 'HS256', typ: 'JWT', kid: 'k1' })}.${mark.split('.').slice(1).join('.')}`
    expect((await info(app, bearer(forged))).status).toBe(401)
  }
  const bySecret = deployment().app
  expect((await info(bySecret, bearer(token))).status).toBe(401)
})

test('a key set that holds a secret key does not make secrets count', async () => {
  const k = btoa(secret).replaceAll('=', '')
  const { app } = deployment({ auth: { jwks: { keys: [{ kty: 'oct', k, kid: 'k1', alg: 'HS256' }] } } })
  const [, ...rest] = (await tokenFor()).split('.')
  expect((await info(app, bearer(`${base64({ alg: 'HS256', typ: 'JWT', kid: 'k1' })}.${rest.join('.')}`))).status).toBe(
    401,
  )
})

function issuer(...sets: (readonly object[] | Error)[]) {
  let calls = 0
  vi.stubGlobal('fetch', async () => {
    const set = sets[Math.min(calls, sets.length - 1)]
    calls++
    if (set instanceof Error || set === undefined) throw set
    return Response.json({ keys: set })
  })
  const auth: Auth = { jwks: 'https://issuer.example/keys' }
  return { auth, calls: () => calls }
}

test('a key set is fetched once, and again for a key it had not, but not for every invented one', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const [one, two, three] = [await keyPair('k1'), await keyPair('k2'), await keyPair('k3')]
  const { auth, calls } = issuer([one.open], [one.open, two.open])
  const { app } = deployment({ auth })
  for (let n = 0; n < 3; n++) expect((await info(app, bearer(one.token))).status).toBe(200)
  expect(calls()).toBe(1)
  expect((await info(app, bearer(two.token))).status).toBe(401)
  expect(calls()).toBe(1)
  vi.setSystemTime(Date.now() + 31_000)
  expect((await info(app, bearer(two.token))).status).toBe(200)
  for (let n = 0; n < 3; n++) expect((await info(app, bearer(three.token))).status).toBe(401)
  expect(calls()).toBe(2)
})

test('an issuer that is away is 503 for those it has yet to vouch for, and nothing for the others', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const { open, token } = await keyPair('k1')
  const { auth, calls } = issuer(new Error('connect ECONNREFUSED'), [open], new Error('connect ECONNREFUSED'))
  const { app } = deployment({ auth })
  const away = await info(app, bearer(token))
  expect(away).toMatchObject({ status: 503, body: { retryable: true } })
  expect(away.text).not.toContain('issuer.example')
  expect((await info(app, bearer(token))).status).toBe(200)
  vi.setSystemTime(Date.now() + 700_000)
  expect((await info(app, bearer(token))).status).toBe(200)
  expect(calls()).toBe(3)
  const unknown = bearer((await keyPair('k2')).token)
  expect((await info(app, unknown)).status).toBe(401)
  expect(calls()).toBe(3)
})

test('an app without graphs is refused at the start', () => {
  const { checkpointer } = deployment()
  expect(() => serve({ graphs: {}, checkpointer, auth: { secret } })).toThrow(/no graph/)
})
