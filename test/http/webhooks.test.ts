// Endpoints, keys and deliveries over HTTP: secrets are shown once, and another tenant's do not exist.
import { afterEach, describe, expect, test } from 'vitest'
import { routes } from '../../src/http/routes.ts'
import { until } from '../until.ts'
import { type Receiver, receiver } from '../webhooks/receiver.ts'
import { approvalApp, approve } from './approval-app.ts'
import { deployment } from './deployment.ts'

const open: Receiver[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})
const receiving = async () => {
  const one = await receiver(204)
  open.push(one)
  return one
}
const url = 'https://hooks.example/recollect'
const all = ['approval.requested', 'run.finished', 'run.failed']
const operator = { scope: 'operate' }

describe('an endpoint', () => {
  test('is made, read, changed, rotated and deleted; its secret is shown when it is made and rotated, and nowhere else', async () => {
    const send = deployment().as(operator)
    const made = await send('POST', '/webhooks/endpoints', { url })
    expect(made).toMatchObject({
      status: 201,
      body: { id: expect.stringMatching(/^we_/), url, events: all, failures: 0, secrets: 1, disabled_at: null },
    })
    const { secret, ...endpoint } = made.body
    expect(secret).toMatch(/^whsec_/)
    const path = `/webhooks/endpoints/${endpoint.id}`
    expect((await send('GET', path)).body).toEqual(endpoint)
    expect((await send('GET', '/webhooks/endpoints')).body).toEqual([endpoint])
    const events = ['run.failed']
    expect((await send('PATCH', path, { events, url: `${url}/2` })).body).toEqual({
      ...endpoint,
      events,
      url: `${url}/2`,
    })
    const rotated = (await send('POST', `${path}/rotate`)).body
    expect(rotated.secret).toMatch(/^whsec_/)
    expect(rotated.secret).not.toBe(secret)
    expect(rotated.secrets).toBe(2)
    const disabled = (await send('PATCH', path, { disabled: true })).body
    expect(disabled).toMatchObject({ disabled_at: expect.any(String), disabled_reason: 'by an operator' })
    expect((await send('PATCH', path, { disabled: false })).body).toMatchObject({
      disabled_at: null,
      disabled_reason: null,
    })
    const seen = [await send('GET', path), await send('GET', '/webhooks/endpoints')].map(({ text }) => text).join()
    for (const hidden of [secret, rotated.secret]) expect(seen).not.toContain(hidden)
    expect((await send('DELETE', path)).status).toBe(204)
    expect((await send('GET', path)).body.code).toBe('webhook_unknown')
  })

  test('that is not https to a public host is refused, as are unknown events', async () => {
    const send = deployment().as(operator)
    const refused = [
      'http://hooks.example/',
      'https://localhost/',
      'https://10.0.0.1/',
      'https://a:b@hooks.example/',
      'x',
      '',
    ]
    for (const bad of refused)
      expect(await send('POST', '/webhooks/endpoints', { url: bad }), bad).toMatchObject({
        status: 422,
        body: { code: 'input_invalid' },
      })
    for (const events of [[], ['run.started'], 'run.failed', null])
      expect((await send('POST', '/webhooks/endpoints', { url, events })).status).toBe(422)
    for (const extra of [{ tenant: 'other' }, { secrets: ['x'] }, { secret: 'x' }, { id: 'we_mine' }])
      expect((await send('POST', '/webhooks/endpoints', { url, ...extra })).status).toBe(422)
    expect((await send('GET', '/webhooks/endpoints')).body).toEqual([])
  })

  test('is one of at most fifty', async () => {
    const send = deployment().as(operator)
    for (let count = 0; count < 50; count++) await send('POST', '/webhooks/endpoints', { url })
    expect(await send('POST', '/webhooks/endpoints', { url })).toMatchObject({
      status: 409,
      body: { code: 'webhook_limit' },
    })
  })

  test('is told of an approval and of the end, and what became of it is in its log, to be sent again', async () => {
    const { call, asked } = approvalApp()
    const one = await receiving()
    const { body: endpoint } = await call('POST', '/webhooks/endpoints', { url: one.url })
    const path = `/webhooks/endpoints/${endpoint.id}`
    const approval = await asked()
    await until(() => expect(one.received).toHaveLength(1))
    expect(one.received[0]?.event).toMatchObject({
      type: 'approval.requested',
      data: { run_id: approval.run_id, approval: { id: approval.id, payload: approval.payload } },
    })
    await call('POST', `/approvals/${approval.id}`, { answer: approve })
    await until(() => expect(one.received).toHaveLength(2))
    await until(async () => expect((await call('GET', `${path}/deliveries`)).body).toHaveLength(2))
    const [last] = (await call('GET', `${path}/deliveries?limit=1`)).body
    expect(last).toMatchObject({ event: 'run.finished', attempt: 1, outcome: 'delivered', status: 204, error: null })
    const again = await call('POST', `${path}/deliveries/${last.id}/redeliver`)
    expect(again).toMatchObject({ status: 202, body: { webhook_id: last.webhook_id } })
    await until(() => expect(one.received.map(({ id }) => id).slice(1)).toEqual([last.webhook_id, last.webhook_id]))
    expect((await call('POST', `${path}/test`)).body).toMatchObject({ event: 'webhook.test', outcome: 'delivered' })
    expect(one.verified(one.received[3] ?? expect.unreachable(), endpoint.secret)).toMatch(/^msg_/)
    await call('PATCH', path, { disabled: true })
    expect(await call('POST', `${path}/deliveries/${last.id}/redeliver`)).toMatchObject({
      status: 409,
      body: { code: 'webhook_disabled' },
    })
    expect((await call('POST', `${path}/deliveries/wd_none/redeliver`)).body.code).toBe('webhook_unknown')
    for (const query of ['limit=0', 'limit=x', 'limit=1001', 'offset=-1'])
      expect((await call('GET', `${path}/deliveries?${query}`)).status, query).toBe(422)
  })
})

describe('a key', () => {
  test('is made, listed and deleted; its secret is shown when it is made, and nowhere else', async () => {
    const send = deployment().as(operator)
    const { status, body } = await send('POST', '/webhooks/keys')
    expect([status, body]).toEqual([
      201,
      { id: expect.stringMatching(/^wk_/), created_at: expect.any(String), secret: expect.stringMatching(/^whsec_/) },
    ])
    expect((await send('GET', '/webhooks/keys')).body).toEqual([{ id: body.id, created_at: body.created_at }])
    expect((await send('DELETE', `/webhooks/keys/${body.id}`)).status).toBe(204)
    expect(await send('DELETE', `/webhooks/keys/${body.id}`)).toMatchObject({
      status: 404,
      body: { code: 'webhook_unknown' },
    })
    expect((await send('GET', '/webhooks/keys')).body).toEqual([])
  })
})

test('another tenant’s endpoints, deliveries and keys answer like those that do not exist', async () => {
  const house = approvalApp()
  const one = await receiving()
  const { body: endpoint } = await house.call('POST', '/webhooks/endpoints', { url: one.url })
  const { body: key } = await house.call('POST', '/webhooks/keys')
  const { body: delivery } = await house.call('POST', `/webhooks/endpoints/${endpoint.id}/test`)
  const forms: readonly [string, string, object?][] = [
    ['GET', '/webhooks/endpoints/E'],
    ['PATCH', '/webhooks/endpoints/E', { disabled: true }],
    ['PATCH', '/webhooks/endpoints/E', { url }],
    ['DELETE', '/webhooks/endpoints/E'],
    ['POST', '/webhooks/endpoints/E/rotate'],
    ['POST', '/webhooks/endpoints/E/test'],
    ['GET', '/webhooks/endpoints/E/deliveries'],
    ['POST', '/webhooks/endpoints/E/deliveries/D/redeliver'],
    ['DELETE', '/webhooks/keys/K'],
  ]
  const filled = (path: string, ids: readonly string[]) =>
    ['E', 'D', 'K'].reduce(
      (text, letter, index) => text.replace(new RegExp(`/${letter}(?=/|$)`), `/${ids[index]}`),
      path,
    )
  for (const [method, path, body] of forms) {
    const real = [endpoint.id, delivery.id, key.id]
    const made = ['we_none', 'wd_none', 'wk_none']
    const [theirs, nobodys] = [real, made].map((ids) =>
      house.call(method, filled(path, ids), body, { tenant: 'other' }),
    )
    expect(await theirs, `${method} ${path}`).toMatchObject({ status: 404, body: { code: 'webhook_unknown' } })
    const text = real.reduce((said, id, index) => said.replaceAll(id, made[index] ?? ''), (await theirs)?.text ?? '')
    expect(text).toBe((await nobodys)?.text)
  }
  for (const path of ['/webhooks/endpoints', '/webhooks/keys'])
    expect((await house.call('GET', path, undefined, { tenant: 'other' })).body).toEqual([])
  expect((await house.call('GET', `/webhooks/endpoints/${endpoint.id}`)).body).toMatchObject({
    secrets: 1,
    disabled_at: null,
  })
  expect((await house.call('GET', '/webhooks/keys')).body).toHaveLength(1)
  expect(one.received).toHaveLength(1)
})

test('every route of endpoints and keys wants the scope operate', async () => {
  const send = deployment().as({ scope: 'chat approve' })
  const mine = routes.filter(({ path }) => /^\/webhooks\/(endpoints|keys)/.test(path))
  expect(mine).toHaveLength(12)
  for (const { method, path } of mine) {
    const answer = await send(method, path.replace(/:\w+/g, 'x'), method === 'GET' ? undefined : {})
    expect(answer, `${method} ${path}`).toMatchObject({ status: 403, body: { code: 'scope_missing' } })
  }
})

test('tenants may be named like a part of these paths, and no method leads astray', async () => {
  const house = approvalApp()
  for (const tenant of ['endpoints', 'keys']) {
    const claims = { tenant }
    const { body } = await house.call('POST', '/webhooks/keys', undefined, claims)
    const approval = await house.asked('t1', claims)
    const taken = await house.hook({ id: approval.id, answer: approve }, { tenant, secrets: [body.secret] })
    expect(taken, tenant).toMatchObject({ status: 200, body: { outcome: 'accepted' } })
    expect((await house.call('GET', `/webhooks/${tenant}`, undefined, claims)).body).toHaveLength(
      tenant === 'keys' ? 1 : 0,
    )
  }
  expect((await house.call('GET', '/webhooks/endpoints/approvals')).body.code).toBe('webhook_unknown')
  expect((await house.call('DELETE', '/webhooks/keys/approvals')).body.code).toBe('webhook_unknown')
  expect((await house.call('PUT', '/webhooks/acme/approvals')).status).toBe(405)
})
