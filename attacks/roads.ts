// The roads that an answer can come by, each with a credential that is sound or wrong in one way.
import { reviewUrl } from '../src/http/review-link.ts'
import { signWebhook } from '../src/kernel/webhook.ts'
import { type House, otherSecret, otherWebhookKey, reviewSecret, secret, thread, tokenOf, webhookKey } from './house.ts'

/**
 * none: without any. forged: made with another key. stale: its time is over. future: its time has not come. weak: without the
 * scope to approve. other: sound, of another tenant.
 */
export type Credential = 'sound' | 'none' | 'forged' | 'stale' | 'future' | 'weak' | 'other'

export type Decision = { readonly decision: 'approve' } | { readonly decision: 'reject'; readonly reason: string }

export interface Sent {
  readonly id: string
  readonly answer: unknown
  readonly credential?: Credential
  /** Of the delivery: the same is the same delivery. */
  readonly delivery?: string
  /** The run that is believed to have asked. */
  readonly run?: string
  /** How many bytes come along that nobody asked for. */
  readonly ballast?: number
  /** Of the webhook's own headers, in the place of what they are. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface Road {
  readonly name: string
  /** Gives the status. */
  send(house: House, sent: Sent): Promise<number>
}

export const approve: Decision = { decision: 'approve' }
export const reject: Decision = { decision: 'reject', reason: 'no' }

const hour = 3_600
const now = () => Math.floor(Date.now() / 1_000)

/** As `Authorization`. */
async function bearer({ tenant }: House, credential: Credential = 'sound'): Promise<Record<string, string>> {
  if (credential === 'none') return {}
  const claims = {
    tenant: credential === 'other' ? `${tenant}-neighbour` : tenant,
    ...(credential === 'weak' && { scope: 'chat' }),
    ...(credential === 'stale' && { exp: now() - hour }),
    ...(credential === 'future' && { nbf: now() + hour, exp: now() + 2 * hour }),
  }
  return { authorization: `Bearer ${await tokenOf(claims, credential === 'forged' ? otherSecret : secret)}` }
}

async function posted(house: House, path: string, body: unknown, { credential, delivery }: Sent): Promise<Response> {
  const headers = {
    ...(await bearer(house, credential)),
    ...(delivery !== undefined && { 'idempotency-key': delivery }),
  }
  return house.send(path, { body: JSON.stringify(body), headers })
}

/** Reads to the end, so that the run has gone as far as it goes. */
async function statusOf(response: Response): Promise<number> {
  await response.text()
  return response.status
}

const api: Road = {
  name: 'API',
  async send(house, sent) {
    const { id, answer, ballast } = sent
    return statusOf(await posted(house, `/approvals/${id}`, { answer, ...padding(ballast) }, sent))
  },
}

const webhook: Road = {
  name: 'webhook',
  async send(house, { id, answer, credential = 'sound', delivery = crypto.randomUUID(), run, ballast, headers = {} }) {
    const data = { id, answer, by: 'boss', ...(run !== undefined && { run_id: run }) }
    const body = JSON.stringify({ type: 'approval.answered', data, ...padding(ballast) })
    const skews: Partial<Record<Credential, number>> = { stale: -hour * 1_000, future: hour * 1_000 }
    const nowMs = Date.now() + (skews[credential] ?? 0)
    const keys = credential === 'forged' ? [otherWebhookKey] : [webhookKey]
    const signed = credential === 'none' ? {} : signWebhook({ id: delivery, body, nowMs }, keys)
    const tenant = credential === 'other' ? `${house.tenant}-neighbour` : house.tenant
    const path = `/webhooks/${tenant}/approvals`
    // A tenant's own key, of the neighbour: what it signs is believed, and finds nothing.
    const resigned = credential === 'other' ? signWebhook({ id: delivery, body, nowMs }, [otherWebhookKey]) : signed
    return statusOf(await house.send(path, { body, headers: { ...resigned, ...headers } }))
  },
}

const review: Road = {
  name: 'review page',
  async send(house, { id, answer, credential = 'sound', ballast = 0 }) {
    const links = { secret: credential === 'forged' ? otherSecret : reviewSecret }
    const tenant = credential === 'other' ? `${house.tenant}-neighbour` : house.tenant
    const exp = now() + (credential === 'stale' ? -hour : hour)
    const nbf = credential === 'future' ? { nbf: now() + hour / 2 } : {}
    const { pathname, search } = new URL(
      await reviewUrl(links, { tenant, approval: id, by: 'boss', exp, ...nbf }, 'https://house'),
    )
    const fields = typeof answer === 'object' && answer !== null ? answer : { decision: String(answer) }
    const form = new URLSearchParams({ ...fields, ...(ballast > 0 && { text: 'x'.repeat(ballast) }) })
    return statusOf(await house.send(`${pathname}${credential === 'none' ? '' : search}`, { body: form }))
  },
}

const runs: Road = {
  name: 'runs route',
  async send(house, sent) {
    const command = { resume: { [sent.id]: sent.answer } }
    const body = { assistant_id: 'support', command, ...padding(sent.ballast) }
    return statusOf(await posted(house, `/threads/${thread}/runs/wait`, body, sent))
  },
}

/** As a page sends it when a person has pressed a button. */
const useChat: Road = {
  name: 'useChat',
  async send(house, sent) {
    const { decision, reason } = sent.answer as { decision?: string; reason?: string }
    const approved = decision === 'approve' ? true : decision === 'reject' ? false : sent.answer
    const approval = { id: sent.id, approved, ...(reason !== undefined && { reason }) }
    const call = { toolCallId: 'call-2-0', input: { order: 'o1', cents: 6_000 }, state: 'approval-responded' }
    const messages = [
      { id: 'm1', role: 'user', parts: [{ type: 'text', text: 'order o1 6000' }] },
      { id: 'm2', role: 'assistant', parts: [{ type: 'tool-refund', ...call, approval }] },
    ]
    return statusOf(await posted(house, '/chat', { id: thread, messages, ...padding(sent.ballast) }, sent))
  },
}

function padding(ballast = 0): { padding?: string } {
  return ballast > 0 ? { padding: 'x'.repeat(ballast) } : {}
}

export const roads: readonly Road[] = [api, webhook, review, runs, useChat]
export const webhookRoad = webhook
export const chatRoad = useChat
