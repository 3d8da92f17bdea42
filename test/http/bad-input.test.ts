// Bad input: each gets a clear error with a stable code, and nothing breaks.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { routes } from '../../src/http/routes.ts'
import { type Answer, deployment, said, tokenFor } from './deployment.ts'

const failures = vi.spyOn(console, 'error').mockImplementation(() => {})

beforeEach(() => failures.mockClear())
afterEach(() => expect(failures.mock.calls, 'nothing was unexpected').toEqual([]))

const refused = ({ status, body }: Answer) => status >= 400 && status < 500 && /^[a-z_]+$/.test(body.code)

/** With ids that could be. */
const filled = (path: string) => path.replace(/:\w+/g, 't1')

const wrong: readonly unknown[] = [
  null,
  0,
  -1,
  1.5,
  1e300,
  true,
  '',
  'text',
  '\n',
  [],
  [null],
  ['a', 1],
  {},
  { a: 1 },
  { toString: 1 },
]

test('a wrong type in any field of any body is accepted or refused, never a fault', async () => {
  const { as } = deployment()
  const [user, operator] = [as(), as({ scope: 'operate' })]
  const send: typeof user = (method, path, body) =>
    (/^\/webhooks|\/link$/.test(path) ? operator : user)(method, path, body)
  await send('POST', '/threads/t1/runs/wait', { assistant_id: 'chat', input: said('hi'), if_not_exists: 'create' })
  const posts = routes.flatMap(({ method, path, body }) =>
    body === undefined || path.startsWith('/chat') ? [] : [{ method, path, body }],
  )
  expect(posts.length).toBeGreaterThan(8)
  for (const { method, path, body } of posts) {
    const fields = Object.keys((body() as unknown as { shape?: Record<string, unknown> }).shape ?? {})
    expect(fields.length, path).toBeGreaterThan(0)
    for (const field of fields) {
      for (const value of wrong) {
        const sound = path.includes('/runs/') ? { assistant_id: 'chat', input: said('hi') } : {}
        const answer = await send(method, filled(path), { ...sound, [field]: value })
        const what = `${method} ${path} ${field}: ${JSON.stringify(value)} → ${answer.status} ${answer.text.slice(0, 200)}`
        expect(answer.status < 300 || refused(answer), what).toBe(true)
      }
    }
    for (const whole of [null, 5, '"text"', [], [[]], true]) {
      const answer = await send(method, filled(path), whole)
      expect(answer.body, `${method} ${path} ${JSON.stringify(whole)}`).toMatchObject({
        code: 'input_invalid',
        status: 422,
      })
    }
  }
})

test('a message names the field, what was expected and what was found', async () => {
  const send = deployment().as()
  const detail = async (path: string, body: unknown) => (await send('POST', path, body)).body.detail
  expect(await detail('/threads', { metadata: [] })).toBe(
    'The body is not valid: metadata must be an object, not an array.',
  )
  expect(await detail('/threads', { metdata: {} })).toContain('"metdata" (did you mean "metadata"?)')
  expect(await detail('/threads', { if_exists: 'maybe' })).toContain('if_exists must be "raise" or "do_nothing"')
  expect(await detail('/threads/search', { limit: 0 })).toContain('limit must be 1 or more')
  expect(await detail('/threads/search', { limit: 1.5 })).toContain('limit must be a whole number')
  expect(await detail('/runs/wait', {})).toContain('assistant_id must be a string, not missing')
  expect(await detail('/runs/wait', { assistant_id: 'chat', input: { mesages: [] } })).toContain(
    'did you mean "messages"',
  )
})

const hostile = [
  '%2F',
  'a%2Fb',
  '..%2F..%2Fetc',
  '%2e%2e',
  'a..b',
  '%00',
  'a%00b',
  '%25',
  '%',
  '%zz',
  'a%20b',
  '%F0%9F%98%80',
  '%ED%A0%80',
  '.hidden',
  ':x',
  '@x',
  "a'b",
  'a%22b',
  'x'.repeat(129),
  'a%0Ab',
  '$$',
  '%3Cscript%3E',
]

test('an id of characters that are not allowed is refused in the path and in the body', async () => {
  const send = deployment().as()
  for (const id of hostile) {
    for (const path of [
      `/threads/${id}`,
      `/threads/${id}/state`,
      `/threads/${id}/runs`,
      `/threads/t1/runs/${id}`,
      `/assistants/${id}`,
    ]) {
      const answer = await send('GET', path)
      expect(refused(answer), `${path} → ${answer.status} ${answer.text}`).toBe(true)
      if (answer.status !== 404) expect(answer.body.code, path).toBe('id_invalid')
    }
  }
  for (const id of ['', 'a/b', '..', 'a b', '.a', 'ü', 'x'.repeat(129)]) {
    expect(await send('POST', '/threads', { thread_id: id }), id).toMatchObject({
      status: 400,
      body: { code: 'id_invalid' },
    })
  }
  for (const id of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    expect((await send('GET', `/threads/${id}`)).status, id).toBe(404)
    expect((await send('POST', '/runs/wait', { assistant_id: id, input: {} })).body.code, id).toBe('graph_unknown')
  }
})

test('a body that is empty, broken or no UTF-8 is refused as such', async () => {
  const { app, as } = deployment()
  const send = as()
  for (const body of ['', ' \n', '{', '{"a":1}}', "{'a':1}", 'NaN', 'undefined']) {
    expect(await send('POST', '/threads', body), body).toMatchObject({ status: 400, body: { code: 'body_invalid' } })
  }
  expect(await send('POST', '/threads')).toMatchObject({ status: 400, body: { code: 'body_invalid' } })
  const headers = { authorization: `Bearer ${await tokenFor()}` }
  const bytes = await app.request('/threads', {
    method: 'POST',
    headers,
    body: new Uint8Array([0x22, 0xff, 0xfe, 0x22]),
  })
  expect(await bytes.json()).toMatchObject({ code: 'body_invalid', detail: 'The body is not UTF-8.' })
})

test('a body that is too large is refused by its length, and where it does not tell it, while it is read', async () => {
  const { app, as } = deployment()
  const send = as()
  const large = JSON.stringify({ metadata: { text: 'x'.repeat(10_000_000) } })
  const known = await send('POST', '/threads', large, { 'content-length': String(large.length) })
  expect(known).toMatchObject({ status: 413, body: { code: 'body_too_large' } })
  let sent = 0
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent++
      controller.enqueue(new TextEncoder().encode('["'.padEnd(65_536, 'x')))
    },
  })
  const init = {
    method: 'POST',
    headers: { authorization: `Bearer ${await tokenFor()}` },
    body: endless,
    duplex: 'half',
  }
  expect((await app.request('/threads', init as RequestInit)).status).toBe(413)
  expect(sent).toBeLessThan(20)
  const small = deployment({ limits: { maxBytes: 10 } }).as()
  expect((await small('POST', '/threads', { metadata: {} })).status).toBe(413)
})

test('a body that is too deep is refused', async () => {
  const send = deployment().as()
  const nested = (levels: number) => `{"metadata":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`
  expect(await send('POST', '/threads', nested(100))).toMatchObject({ status: 400, body: { code: 'body_too_deep' } })
  expect(await send('POST', '/threads', nested(100_000))).toMatchObject({
    status: 400,
    body: { code: 'body_too_deep' },
  })
  expect((await send('POST', '/threads', nested(60))).status).toBe(200)
})

test('what storage could not hold is refused at the door', async () => {
  const send = deployment().as()
  for (const text of [
    '"a\\u0000b"',
    '"\\ud800"',
    '"\\udc00x"',
    '{"\\u0000":1}',
    '{"\\ud800":1}',
    '1e999',
    '[-1e999]',
  ]) {
    const answer = await send('POST', '/threads', `{"metadata":{"x":${text}}}`)
    expect(answer, text).toMatchObject({ status: 400, body: { code: 'body_invalid' } })
  }
  expect((await send('POST', '/threads', '{"metadata":{"x":"\\ud83d\\ude00"}}')).body.metadata.x).toBe('😀')
})

test('__proto__ is refused wherever it stands, and nothing is the worse for it', async () => {
  const send = deployment().as()
  for (const body of [
    '{"__proto__":{"tenant":"other"}}',
    '{"metadata":{"__proto__":{"polluted":true}}}',
    '{"metadata":{"a":[{"__proto__":null}]}}',
  ]) {
    expect(await send('POST', '/threads', body), body).toMatchObject({ status: 400, body: { code: 'body_invalid' } })
  }
  const constructed = await send('POST', '/threads', '{"metadata":{"constructor":{"prototype":{"polluted":true}}}}')
  expect(constructed.status).toBe(200)
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})

test('an unknown route is 404 and a wrong method 405, both as problems', async () => {
  const send = deployment().as()
  expect(await send('GET', '/nothing/here')).toMatchObject({ status: 404, body: { code: 'route_unknown' } })
  const wrongMethod = await send('PUT', '/threads/t1')
  expect(wrongMethod).toMatchObject({ status: 405, body: { code: 'method_unsupported' } })
  expect(wrongMethod.headers.get('allow')).toBe('GET, PATCH, DELETE')
  expect((await send('GET', '/runs/wait')).headers.get('allow')).toBe('POST')
})

test('an id says whether it is too long or written otherwise', async () => {
  const send = deployment().as()
  expect((await send('GET', `/threads/${'x'.repeat(129)}`)).body.detail).toMatch(/It is 129 characters\.$/)
  expect((await send('GET', '/threads/a%20b')).body.detail).toMatch(/It is written otherwise\.$/)
})

test('a query of the wrong form is refused', async () => {
  const send = deployment().as()
  await send('POST', '/threads', { thread_id: 't1' })
  for (const query of ['limit=x', 'limit=-1', 'limit=0', 'limit=1e9', 'limit=1&limit=2', 'limit=']) {
    for (const path of ['history', 'runs']) {
      const answer = await send('GET', `/threads/t1/${path}?${query}`)
      expect(answer, `${path}?${query}`).toMatchObject({ status: 422, body: { code: 'input_invalid' } })
    }
  }
})
