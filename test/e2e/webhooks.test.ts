// Webhooks through the whole local stack: the Worker in workerd seals, signs and sends, and takes a signed answer.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signWebhook } from '../../src/kernel/webhook.ts'
import { until } from '../until.ts'
import { type Receiver, receiver } from '../webhooks/receiver.ts'
import { type LocalStack, startStack } from './local-stack.ts'

let data: string
let stack: LocalStack
let well: Receiver
let stuck: Receiver

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'recollect-webhooks-'))
  well = await receiver(204)
  stuck = await receiver('hang')
  stack = await startStack(data)
})

afterAll(async () => {
  await stack?.kill().catch(() => {})
  await Promise.all([well?.close(), stuck?.close()])
  await rm(data, { recursive: true, force: true })
})

const made = async (path: string, body: unknown = {}) => {
  const response = await stack.post(path, body)
  expect(response.status, path).toBe(201)
  const { id, secret }: { id: string; secret: string } = await response.json()
  return { id, secret }
}

test('a run’s end is told, signed, while another receiver hangs; what fails is tried again by the cron', async () => {
  const endpoint = await made('/webhooks/endpoints', { url: well.url })
  const other = await made('/webhooks/endpoints', { url: stuck.url })
  const body = {
    assistant_id: 'support',
    if_not_exists: 'create',
    input: { messages: [{ role: 'user', content: 'Where is order A1?' }] },
  }
  const startedAt = performance.now()
  expect((await stack.post('/threads/first/runs/wait', body)).status).toBe(200)
  expect(performance.now() - startedAt).toBeLessThan(10_000)
  await until(() => expect(well.received).toHaveLength(1), 10_000)
  const [webhook = expect.unreachable()] = well.received
  expect(well.verified(webhook, endpoint.secret)).toBe(webhook.id)
  expect(webhook.event).toMatchObject({ type: 'run.finished', data: { thread_id: 'first', status: 'success' } })

  await until(() => expect(stuck.received).toHaveLength(1), 10_000)
  stuck.replies = [204]
  await until(() => expect(stuck.received.length).toBeGreaterThan(1), 60_000)
  expect(new Set(stuck.received.map(({ id }) => id)).size).toBe(1)
  const log = async () => (await stack.get(`/webhooks/endpoints/${other.id}/deliveries`)).json()
  await until(
    async () => expect(await log()).toMatchObject([{ outcome: 'delivered' }, { outcome: 'postponed' }]),
    10_000,
  )
})

test('a receiver that redirects is not followed', async () => {
  const lured = await receiver(204)
  const redirecting = await receiver((response) => response.writeHead(302, { location: lured.url }).end())
  try {
    const { id } = await made('/webhooks/endpoints', { url: redirecting.url })
    const tried = await (await stack.post(`/webhooks/endpoints/${id}/test`, {})).json()
    expect(tried).toMatchObject({ outcome: 'failed', status: 302, error: 'It redirects, which is not followed.' })
    expect(lured.received).toEqual([])
  } finally {
    await Promise.all([lured.close(), redirecting.close()])
  }
})

test('a webhook in is believed when it is signed with a key of the tenant', async () => {
  const { secret } = await made('/webhooks/keys')
  const body = JSON.stringify({ type: 'approval.answered', data: { id: 'ap_none', answer: { decision: 'approve' } } })
  const post = (secrets: readonly string[]) => {
    const headers = { ...signWebhook({ id: 'msg_1', body, nowMs: Date.now() }, secrets) }
    return fetch(`${stack.base}/webhooks/local/approvals`, { method: 'POST', headers, body })
  }
  const answers = [await post([secret]), await post([`whsec_${'A'.repeat(43)}=`])]
  expect(await Promise.all(answers.map((answer) => answer.json()))).toMatchObject([
    { status: 404, code: 'approval_unknown' },
    { status: 401, code: 'signature_invalid' },
  ])
})
