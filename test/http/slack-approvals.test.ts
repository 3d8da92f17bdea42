// examples/slack-approvals, run on loopback against the real thing: asked in a channel, clicked, and decided once.
import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { askingMessage } from '../../examples/slack-approvals/messages.ts'
import { type ReceiverOptions, slackReceiver } from '../../examples/slack-approvals/receiver.ts'
import { signWebhook } from '../../src/kernel/webhook.ts'
import { loopback } from '../e2e/loopback.ts'
import { until } from '../until.ts'
import { approvalApp } from './approval-app.ts'

const signingSecret = 'the signing secret of a Slack app'
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function listening(answer: (request: Request) => Response | Promise<Response>): Promise<string> {
  const { url, close } = await loopback(answer)
  closing.push(close)
  return url
}

async function channel(change: Partial<ReceiverOptions['slack']> = {}) {
  // biome-ignore lint/suspicious/noExplicitAny: messages of Block Kit.
  const said: { path: string; message: any }[] = []
  let away = false
  const slackUrl = await listening(async (request) => {
    if (away) return new Response('ratelimited', { status: 429 })
    said.push({ path: new URL(request.url).pathname, message: await request.json() })
    return new Response('ok')
  })
  const house = approvalApp()
  const url = await listening((request) => house.app.fetch(request))
  const key = (await house.call('POST', '/webhooks/keys')).body.secret
  let receiver: ReturnType<typeof slackReceiver> | undefined
  const receiverUrl = await listening((request) => receiver?.fetch(request) ?? new Response(null, { status: 503 }))
  const endpoint = (await house.call('POST', '/webhooks/endpoints', { url: `${receiverUrl}/recollect` })).body
  const slack = { signingSecret, webhookUrl: `${slackUrl}/hook`, ...change }
  receiver = slackReceiver({ recollect: { url, tenant: 'acme' }, endpointSecret: endpoint.secret, key, slack })

  const click = async (action_id: string, value: string, user = 'U1', headers: Record<string, string> = {}) => {
    const action = { action_id, value, action_ts: `${Date.now() / 1_000}` }
    const payload = {
      type: 'block_actions',
      user: { id: user },
      response_url: `${slackUrl}/response`,
      actions: [action],
    }
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString()
    const timestamp = String(Math.floor(Date.now() / 1_000))
    const signature = createHmac('sha256', signingSecret).update(`v0:${timestamp}:${body}`).digest('hex')
    const slackHeaders = { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': `v0=${signature}`, ...headers }
    return fetch(`${receiverUrl}/slack/interactions`, { method: 'POST', headers: slackHeaders, body })
  }
  const heard = (count: number) => until(() => expect(said).toHaveLength(count))
  const buttons = () => said[0]?.message.blocks.at(-1).elements
  const setAway = (now: boolean) => {
    away = now
  }
  return { ...house, said, heard, click, buttons, setAway, receiverUrl, endpoint }
}

test('a question is posted with buttons, a click decides it, and the run goes on', async () => {
  const { asked, said, heard, click, buttons, refunds, call } = await channel()
  const approval = await asked()
  await heard(1)
  expect(said[0]).toMatchObject({ path: '/hook', message: { text: 'May "refund" run?' } })
  const shown = said[0]?.message.blocks[1].elements[0].elements[0].text
  expect(JSON.parse(shown)).toEqual({ order: 'A1', cents: 9_900 })
  const [approveButton, denyButton] = buttons()
  expect([approveButton.action_id, denyButton.action_id]).toEqual(['approve', 'reject'])
  expect(refunds).toEqual([])
  expect((await click('approve', approveButton.value)).status).toBe(200)
  expect(said[1]).toMatchObject({ path: '/response', message: { replace_original: true, text: 'Approved by <@U1>.' } })
  await until(async () => expect((await call('GET', '/threads/t1')).body.status).toBe('idle'))
  expect(refunds).toEqual([{ order: 'A1', cents: 9_900 }])
  expect((await call('GET', `/approvals/${approval.id}`)).body).toMatchObject({
    ...{ status: 'answered', answered_by: 'slack:U1', answered_via: 'webhook', answer: { decision: 'approve' } },
  })
  await click('reject', denyButton.value, 'U2')
  expect(said[2]?.message.text).toBe('Somebody else has decided already.')
  expect(refunds).toHaveLength(1)
})

test('a denial does not run it', async () => {
  const { asked, heard, click, buttons, refunds, call } = await channel()
  await asked()
  await heard(1)
  await click('reject', buttons()[1].value)
  await until(async () => expect((await call('GET', '/threads/t1')).body.status).toBe('idle'))
  expect(refunds).toEqual([])
})

test('ten clicks at once decide once', async () => {
  const { asked, heard, click, buttons, refunds, call } = await channel()
  await asked()
  await heard(1)
  await Promise.all(Array.from({ length: 10 }, (_, index) => click('approve', buttons()[0].value, `U${index}`)))
  await until(async () => expect((await call('GET', '/threads/t1')).body.status).toBe('idle'))
  expect(refunds).toHaveLength(1)
})

test('while Slack is away the question waits in the outbox', async () => {
  const { asked, said, heard, setAway, office, call, endpoint } = await channel()
  setAway(true)
  await asked()
  const log = async () => (await call('GET', `/webhooks/endpoints/${endpoint.id}/deliveries`)).body
  await until(async () => expect(await log()).toMatchObject([{ outcome: 'postponed', status: 502 }]))
  setAway(false)
  expect(said).toEqual([])
  const [{ id }] = await log()
  await call('POST', `/webhooks/endpoints/${endpoint.id}/deliveries/${id}/redeliver`)
  await heard(1)
  const failures = async () => (await office.store.endpoint({ tenant: 'acme', id: endpoint.id }))?.failures
  await until(async () => expect(await failures()).toBe(0))
})

describe('nothing is decided by', () => {
  test('a click that Slack has not signed, or long ago, or by somebody who may not', async () => {
    const { asked, said, heard, click, buttons, refunds, call, receiverUrl } = await channel({ approvers: ['U1'] })
    const approval = await asked()
    await heard(1)
    const [{ value }] = buttons()
    const old = String(Math.floor(Date.now() / 1_000) - 301)
    const forged: Record<string, string>[] = [
      { 'x-slack-signature': 'v0=00' },
      { 'x-slack-signature': '' },
      { 'x-slack-request-timestamp': old },
      { 'x-slack-request-timestamp': '' },
    ]
    for (const headers of forged) expect((await click('approve', value, 'U1', headers)).status).toBe(401)
    expect((await click('approve', value, 'U2')).status).toBe(200)
    expect(said.at(-1)?.message.text).toBe('This is for others to decide.')
    expect((await click('launch', value)).status).toBe(200)
    const body = JSON.stringify({ type: 'approval.requested', data: {} })
    const unsigned = {
      method: 'POST',
      body,
      headers: signWebhook({ id: 'm', body, nowMs: Date.now() }, [`whsec_${'A'.repeat(44)}`]),
    }
    expect((await fetch(`${receiverUrl}/recollect`, { ...unsigned, headers: { ...unsigned.headers } })).status).toBe(
      401,
    )
    expect((await call('GET', `/approvals/${approval.id}`)).body.status).toBe('pending')
    expect(refunds).toEqual([])
  })

  test('what the channel cannot show in full', () => {
    const approval = { id: 'ap_1', kind: 'tool-approval', node: 'tools', expires_at: null }
    const place = { run_id: 'r', thread_id: 't', review_url: 'https://us.example/review' }
    const payload = { tool: 'mail', description: 'Mail.', arguments: { text: 'x'.repeat(4_000) } }
    const links = [{ action_id: 'review', url: place.review_url }]
    for (const message of [
      askingMessage({ ...place, approval: { ...approval, payload } }),
      askingMessage({ ...place, approval: { ...approval, payload: null } }),
      askingMessage({ ...place, approval: { ...approval, kind: 'colour', payload: 'blue' as never } }),
    ]) {
      const { blocks } = message as { blocks: { type: string; elements?: unknown }[] }
      expect(blocks.find(({ type }) => type === 'actions')?.elements).toMatchObject(links)
      expect(JSON.stringify(message)).not.toContain('"approve"')
    }
  })
})
