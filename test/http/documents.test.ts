// The documents that are made from the route table, and what surrounds every answer.
import { readFileSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { documents } from '../../scripts/openapi.ts'
import { version } from '../../src/http/meta.ts'
import { logFailure, problemOf, problemResponse } from '../../src/http/problem.ts'
import { routes } from '../../src/http/routes.ts'
import { RecollectError } from '../../src/kernel/errors.ts'
import { deployment, tokenFor } from './deployment.ts'

afterEach(() => vi.restoreAllMocks())

test('the documents are those that the route table gives: otherwise run scripts/openapi.ts', () => {
  for (const [file, text] of Object.entries(documents())) {
    expect(readFileSync(file, 'utf8') === text, `${file} is stale`).toBe(true)
  }
})

test('no route is in the table twice, and each says what it is', () => {
  const names = routes.map(({ method, path }) => `${method} ${path}`)
  expect(names).toEqual([...new Set(names)])
  for (const { summary, responses } of routes) {
    expect(summary).not.toMatch(/\.$/)
    expect(Object.keys(responses).length).toBeGreaterThan(0)
  }
})

test('the version is that of the package', () => {
  expect(version).toBe(packageJson.version)
})

test('the document and the page need no token, and the page loads nothing', async () => {
  const { app } = deployment()
  const document = await (await app.request('/openapi.json')).json()
  expect(Object.keys(document.paths)).toContain('/threads/{thread_id}/runs/stream')
  const page = await app.request('/docs')
  const html = await page.text()
  expect(page.headers.get('content-type')).toContain('text/html')
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(html).toContain('/threads/{thread_id}/runs/stream')
  expect(html).not.toMatch(/<script|<link|<img|src=|@import|url\(|https?:\/\//)
})

test('only these routes need no token', () => {
  const open = routes.filter(({ scopes }) => scopes.length === 0).map(({ path }) => path)
  // A review page's link is its token; a webhook is signed.
  const signed = ['/approvals/:approval_id/review', '/webhooks/:tenant/approvals']
  expect([...new Set(open)]).toEqual([...signed, '/ok', '/openapi.json', '/docs'])
})

test('the deployment says that it is alive to anybody, and what it is to those it knows', async () => {
  const { app, as } = deployment()
  const alive = await app.request('/ok')
  expect([alive.status, await alive.json()]).toEqual([200, { ok: true }])
  expect((await app.request('/info')).status).toBe(401)
  expect((await as({ scope: 'approve' })('GET', '/info')).body).toMatchObject({ version, flags: { crons: false } })
})

test('a page of any origin may call, and may read the headers that matter', async () => {
  const { app } = deployment()
  const preflight = await app.request('/threads', {
    method: 'OPTIONS',
    headers: {
      origin: 'https://app.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-api-key,last-event-id',
    },
  })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-headers')).toContain('x-api-key')
  expect(preflight.headers.get('access-control-allow-methods')).toContain('PATCH')
  for (const path of ['/ok', '/info', '/nowhere']) {
    const answer = await app.request(path, { headers: { origin: 'https://app.example' } })
    expect(answer.headers.get('access-control-allow-origin'), path).toBe('*')
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
    const exposed = answer.headers.get('access-control-expose-headers')
    for (const name of [
      'content-location',
      'location',
      'x-pagination-total',
      'retry-after',
      'server-timing',
      'x-vercel-ai-ui-message-stream',
    ]) {
      expect(exposed, path).toContain(name)
    }
  }
})

test('where origins are named, others may not call', async () => {
  const { app } = deployment({ origins: ['https://app.example'] })
  const allowed = async (origin: string) =>
    (await app.request('/ok', { headers: { origin } })).headers.get('access-control-allow-origin')
  expect(await allowed('https://app.example')).toBe('https://app.example')
  expect(await allowed('https://evil.example')).toBeNull()
})

test('every answer has secure headers and its timing', async () => {
  const { app } = deployment()
  for (const path of ['/ok', '/info']) {
    const { headers } = await app.request(path)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('server-timing')).toMatch(/total;dur=/)
  }
})

test('an assistant is found, read and drawn', async () => {
  const send = deployment().as()
  const [clerk] = (await send('POST', '/assistants/search', { name: 'CLER' })).body
  expect(clerk).toMatchObject({ graph_id: 'clerk', name: 'clerk', version: 1 })
  expect((await send('GET', `/assistants/${clerk.assistant_id}`)).body).toEqual(clerk)
  expect((await send('GET', '/assistants/clerk')).body).toEqual(clerk)
  expect((await send('POST', '/assistants/count', {})).body).toBe(5)
  const page = await send('POST', '/assistants/search', { limit: 2, offset: 1 })
  expect([page.body.length, page.headers.get('x-pagination-total')]).toEqual([2, '5'])
  const drawn = (await send('GET', '/assistants/clerk/graph')).body
  expect(drawn.nodes.map(({ id }: { id: string }) => id)).toEqual(['__start__', 'model', 'tools', '__end__'])
  expect(drawn.edges).toContainEqual({ source: '__start__', target: 'model', conditional: false })
  expect(drawn.edges).toContainEqual({ source: 'model', target: 'tools', conditional: true })
  expect((await send('GET', '/assistants/clerk/schemas')).body.state_schema.properties).toEqual({ messages: {} })
})

test('the id of an assistant is the one that a LangGraph server gives the graph', async () => {
  const { assistantIdOf } = await import('../../src/http/assistants.ts')
  expect(await assistantIdOf('agent')).toBe('fe096781-5601-53d2-b2f6-0d3403f7e9ca')
})

test('a problem carries its code, when to try again, and nothing of foreign errors', async () => {
  const busy = problemResponse(
    new RecollectError('thread_busy', 'Busy.', { retryAfterMs: 1_001, details: { run: 'r' } }),
  )
  expect(busy.headers.get('retry-after')).toBe('2')
  expect(busy.headers.get('content-type')).toBe('application/problem+json')
  expect(await busy.json()).toMatchObject({
    code: 'thread_busy',
    status: 409,
    retryAfterMs: 1_001,
    details: { run: 'r' },
  })
  const foreign = new Error('insert into threads values (42)')
  expect(JSON.stringify(problemOf(foreign))).not.toContain('insert')
  expect(problemOf(foreign)).toMatchObject({ code: 'internal', status: 500 })
  const quoting = new RecollectError('route_invalid', 'The route threw: insert into threads values (42)', {
    cause: foreign,
  })
  expect(problemOf(quoting).detail).toBe('The route threw: …')
  const ours = new RecollectError('storage_failed', 'Refused.', { details: { table: 'threads' } })
  expect(problemOf(ours)).not.toHaveProperty('details')
  for (const thrown of [undefined, null, 'text', 5, {}]) expect(problemOf(thrown).code).toBe('internal')
})

test('the log has what the caller must not see, but no statement and no command', () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  const written = () => JSON.stringify(log.mock.calls.map((line) => line.map(String)))
  const upstash = Object.assign(new Error('ERR, command was: ["set","key","secret"]'), { name: 'UpstashError' })
  logFailure(new RecollectError('storage_failed', 'Refused.', { cause: upstash }))
  logFailure(upstash)
  logFailure(Object.assign(new Error('Key (owner)=(secret) exists'), { name: 'NeonDbError', detail: 'secret' }))
  expect(written()).not.toContain('secret')
  logFailure(new RecollectError('node_failed', 'Node "a" threw Error.', { cause: new Error('its reason') }))
  expect(written()).toContain('its reason')
  log.mockClear()
  logFailure(new RecollectError('thread_unknown', 'No such thread.'))
  logFailure(new RecollectError('feature_unsupported', 'Not yet.'))
  expect(log).not.toHaveBeenCalled()
})

test('no token is in an answer or in the log', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  const { app } = deployment({ script: () => Promise.reject(new Error('the model broke')) })
  const token = await tokenFor()
  const answer = await app.request('/runs/wait', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ assistant_id: 'chat', input: {} }),
  })
  const text = await answer.text()
  expect(JSON.parse(text)).toMatchObject({ __error__: { error: 'node_failed' } })
  expect(text + JSON.stringify(log.mock.calls)).not.toContain(token)
})
