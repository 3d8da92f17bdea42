// Answers by webhook: nothing of a webhook is believed before its signature is good, and each is taken once.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { hashOf } from '../../src/kernel/hash.ts'
import { signWebhook } from '../../src/kernel/webhook.ts'
import { until } from '../until.ts'
import { approvalApp, approve, bytesOf } from './approval-app.ts'
import { deployment } from './deployment.ts'

afterEach(() => vi.restoreAllMocks())

const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

async function asking() {
  const house = approvalApp()
  const { secret } = await house.office.createKey('acme')
  const approval = await house.asked()
  const settled = () =>
    until(async () => {
      expect((await house.call('GET', '/threads/t1')).body.status).toBe('idle')
    })
  const status = async () => (await house.call('GET', `/approvals/${approval.id}`)).body.status
  return { ...house, secrets: [secret], approval, settled, status, answer: { id: approval.id, answer: approve } }
}

test('an answer that is well signed is taken, and the run goes on', async () => {
  const { hook, secrets, answer, refunds, settled, call } = await asking()
  const taken = await hook({ ...answer, by: 'slack:U123' }, { secrets })
  expect(taken).toMatchObject({
    status: 200,
    body: { outcome: 'accepted', approval: { status: 'answered', answered_by: 'slack:U123', answered_via: 'webhook' } },
  })
  await settled()
  expect(refunds).toEqual([{ order: 'A1', cents: 9_900 }])
  expect((await call('GET', `/approvals/${answer.id}`)).body.attempts).toMatchObject([{ outcome: 'accepted' }])
})

describe('401 signature_invalid, with nothing changed, is what becomes of', () => {
  type House = Awaited<ReturnType<typeof asking>>
  const signed = (secrets: readonly string[], body: string, id = 'msg_1', nowMs = Date.now()) => ({
    ...signWebhook({ id, body, nowMs }, secrets),
  })
  const forms: Record<string, (house: House) => Promise<unknown>> = {
    'an unsigned one': ({ post, answer }) =>
      post('/webhooks/acme/approvals', {}, JSON.stringify({ type: 'approval.answered', data: answer })),
    'one with another key': ({ hook, answer }) => hook(answer, { secrets: [other] }),
    'one of an unknown tenant': ({ hook, answer, secrets }) => hook(answer, { secrets, tenant: 'nobody' }),
    'one without a signature': ({ hook, answer, secrets }) =>
      hook(answer, { secrets, headers: { 'webhook-signature': '' } }),
    'one without an id': ({ hook, answer, secrets }) => hook(answer, { secrets, headers: { 'webhook-id': '' } }),
    'one without a timestamp': ({ hook, answer, secrets }) =>
      hook(answer, { secrets, headers: { 'webhook-timestamp': '' } }),
    'a stale one': ({ hook, answer, secrets }) => hook(answer, { secrets, atMs: Date.now() - 301_000 }),
    'one from the future': ({ hook, answer, secrets }) => {
      // The clock stands still: what is two seconds too early is so however long it is on its way.
      const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now())
      return hook(answer, { secrets, atMs: Date.now() + 302_000 }).finally(() => clock.mockRestore())
    },
    'one whose timestamp was made fresh': ({ hook, answer, secrets }) =>
      hook(answer, {
        ...{ secrets, atMs: Date.now() - 900_000 },
        headers: { 'webhook-timestamp': String(Math.floor(Date.now() / 1_000)) },
      }),
    'one whose id has a dot': ({ hook, answer, secrets }) => hook(answer, { secrets, id: 'msg.1' }),
    'one whose body was changed': ({ post, answer, secrets }) => {
      const body = JSON.stringify({ type: 'approval.answered', data: answer })
      return post('/webhooks/acme/approvals', signed(secrets, body), `${body} `)
    },
    'one whose id came twice': ({ post, answer, secrets }) => {
      const body = JSON.stringify({ type: 'approval.answered', data: answer })
      const headers = new Headers(signed(secrets, body))
      headers.append('webhook-id', 'msg_2')
      return post('/webhooks/acme/approvals', headers, body)
    },
    'one whose timestamp came twice': ({ post, answer, secrets }) => {
      const body = JSON.stringify({ type: 'approval.answered', data: answer })
      const headers = new Headers(signed(secrets, body))
      headers.append('webhook-timestamp', headers.get('webhook-timestamp') ?? '')
      return post('/webhooks/acme/approvals', headers, body)
    },
    'one signed with a key that is deleted': async ({ hook, answer, secrets, call }) => {
      const [{ id }] = (await call('GET', '/webhooks/keys')).body
      expect((await call('DELETE', `/webhooks/keys/${id}`)).status).toBe(204)
      return hook(answer, { secrets })
    },
  }
  test.each(Object.entries(forms))('%s', async (_, form) => {
    const house = await asking()
    expect(await form(house)).toMatchObject({ status: 401, body: { code: 'signature_invalid' } })
    expect(await house.status()).toBe('pending')
    expect(house.refunds).toEqual([])
  })

  test('an unknown tenant is told the same as a wrong key', async () => {
    const { hook, answer, secrets } = await asking()
    const [unknown, wrong] = [
      await hook(answer, { secrets, tenant: 'nobody' }),
      await hook(answer, { secrets: [other] }),
    ]
    expect(unknown.text).toBe(wrong.text)
  })
})

test('while keys are replaced, webhooks signed with either are taken', async () => {
  const { hook, secrets, answer, office } = await asking()
  const { secret } = await office.createKey('acme')
  expect((await hook({ ...answer, answer: { decision: 'shrug' } }, { secrets: [secret] })).status).toBe(422)
  expect((await hook(answer, { secrets })).status).toBe(200)
})

test('a webhook that was accepted is answered with the first outcome, and nothing runs again', async () => {
  const { hook, secrets, answer, refunds, settled } = await asking()
  const first = await hook(answer, { secrets })
  await settled()
  for (let time = 0; time < 3; time++) {
    const again = await hook(answer, { secrets })
    expect(again).toMatchObject({
      status: 200,
      body: { outcome: 'repeated', approval: { id: first.body.approval.id } },
    })
  }
  const denied = await hook({ ...answer, answer: { decision: 'reject' } }, { secrets })
  expect(denied).toMatchObject({ status: 200, body: { outcome: 'repeated', approval: { answer: approve } } })
  expect(refunds).toHaveLength(1)
})

test('five copies at once, and another id, run it once', async () => {
  const { hook, secrets, answer, refunds, settled } = await asking()
  const copies = await Promise.all(Array.from({ length: 5 }, () => hook(answer, { secrets })))
  expect(copies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  expect(copies.filter(({ body }) => body.outcome === 'accepted')).toHaveLength(1)
  expect(await hook(answer, { secrets, id: 'msg_2' })).toMatchObject({
    status: 409,
    body: { code: 'approval_answered' },
  })
  await settled()
  expect(refunds).toHaveLength(1)
})

test('an answer that comes before its question is told to come again, and is then taken under the same id', async () => {
  const { hook, checkpointer, office, call, asked, refunds } = approvalApp()
  const { secret } = await office.createKey('acme')
  const secrets = [secret]
  let early: unknown
  const commit = checkpointer.commitStep.bind(checkpointer)
  vi.spyOn(checkpointer, 'commitStep').mockImplementation(async (step) => {
    const [question] = step.questions
    // Whoever knows how ids are made knows this one before it is stored.
    if (question) early ??= await hook({ id: question.id, answer: approve, run_id: step.run }, { secrets })
    return commit(step)
  })
  const approval = await asked()
  expect(early).toMatchObject({ status: 409, body: { code: 'approval_early', retryable: true } })
  expect((early as { headers: Headers }).headers.get('retry-after')).toBe('1')
  expect(refunds).toEqual([])
  const later = await hook({ id: approval.id, answer: approve, run_id: approval.run_id }, { secrets })
  expect(later).toMatchObject({ status: 200, body: { outcome: 'accepted' } })
  await until(async () => expect((await call('GET', '/threads/t1')).body.status).toBe('idle'))
  expect(refunds).toHaveLength(1)
})

test('an unknown approval is 404, as is that of another tenant', async () => {
  const { hook, office, asked } = approvalApp()
  const { secret } = await office.createKey('acme')
  const secrets = [secret]
  const theirs = await asked('t1', { tenant: 'other' })
  for (const id of [theirs.id, `ap_${hashOf('none')}`]) {
    const answered = await hook({ id, answer: approve }, { secrets, id: `msg_${id}` })
    expect(answered).toMatchObject({ status: 404, body: { code: 'approval_unknown' } })
  }
})

test('an answer of the wrong type is 422, the approval stays open, and the id is not used up', async () => {
  const { hook, secrets, answer, status } = await asking()
  for (const wrong of [null, true, 'approve', {}, { decision: 'maybe' }, { decision: 'approve', extra: 1 }]) {
    const { status: code } = await hook({ ...answer, answer: wrong }, { secrets })
    expect([code, JSON.stringify(wrong)]).toEqual([422, JSON.stringify(wrong)])
  }
  expect(await status()).toBe('pending')
  expect((await hook(answer, { secrets })).status).toBe(200)
})

test('a webhook of another form is 422, or 400 when it is no JSON', async () => {
  const { hook, secrets, answer } = await asking()
  const bodies = ['{', '', '[]', '"x"', '{"type":"approval.answered"}', '{"type":"other","data":{}}']
  for (const body of bodies) {
    const { status } = await hook(undefined, { secrets, body })
    expect([400, 422], body).toContain(status)
  }
  expect((await hook({ ...answer, tenant: 'other' }, { secrets })).status).toBe(422)
  expect((await hook({ ...answer, by: '' }, { secrets })).status).toBe(400)
})

test('a webhook of 10 MB is refused without being read to its end', async () => {
  const { app, hook, secrets, answer } = await asking()
  const body = JSON.stringify({ type: 'approval.answered', data: { ...answer, padding: 'x'.repeat(10_000_000) } })
  expect(await hook(undefined, { secrets, body })).toMatchObject({ status: 413, body: { code: 'body_too_large' } })
  let sent = 0
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent++
      controller.enqueue(bytesOf('x'.repeat(16_384)))
    },
  })
  const init = {
    method: 'POST',
    headers: signWebhook({ id: 'm', body, nowMs: Date.now() }, secrets),
    body: endless,
    duplex: 'half',
  }
  expect((await app.request('/webhooks/acme/approvals', init as unknown as RequestInit)).status).toBe(413)
  expect(sent).toBeLessThan(20)
})

test('without RECOLLECT_SECRET the answer names it', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const { hook } = approvalApp({}, { webhooks: undefined as never })
  const refused = await hook({}, { secrets: [other] })
  expect(refused).toMatchObject({ status: 503, body: { code: 'environment_invalid' } })
  expect(refused.body.detail).toContain('RECOLLECT_SECRET')
  const send = deployment({ webhooks: undefined as never }).as({ scope: 'operate' })
  for (const path of ['/webhooks/endpoints', '/webhooks/keys'])
    expect((await send('GET', path)).body.detail).toContain('RECOLLECT_SECRET')
})
