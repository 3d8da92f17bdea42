// What the parts of the webhook contract share.
import { expect } from 'vitest'
import { randomId } from '../../../src/kernel/id.ts'
import type { Question } from '../../../src/ports/approvals.ts'
import type { StepCommit, ThreadKey } from '../../../src/ports/checkpointer.ts'
import type { DueWebhook, WebhookEvent, WebhookFate, WebhookScope } from '../../../src/ports/webhooks.ts'
import { webhookEvents } from '../../../src/ports/webhooks.ts'
import { claim, commitOf, request, type Subject, tipOf } from '../checkpointer/turn.ts'

export const question = (change: Partial<Question> = {}): Question => ({
  ...{ id: `ap_${randomId()}`, task: 0, node: 'ask', key: 'k', kind: 'tool', payload: '{"amount":"\\u0000 5"}' },
  ...{ answerer: 'owner', approvers: null, notRequester: false, expiresInMs: null },
  ...change,
})

/** Short words for what tests do most. */
export function words(checkpointer: Subject) {
  const store = () => checkpointer().webhooks

  const endpoint = async (
    tenant: string,
    events: readonly WebhookEvent[] = webhookEvents,
    url = 'https://a.example/',
  ) => {
    const id = `we_${randomId()}`
    expect(await store().createEndpoint({ tenant, id }, { url, events, sealed: `sealed ${id}` }, 50)).toBeDefined()
    return { tenant, id }
  }
  const run = async (at: ThreadKey, change: Partial<StepCommit> = {}, name = 'run-1', kind?: 'update') => {
    const begin = request(at, name)
    const asked = begin.run && { ...begin, run: { ...begin.run, ...(kind && { kind }) } }
    const tip = tipOf(begin, await claim(checkpointer(), asked ?? begin))
    const { commit } = commitOf(tip, 1, ['input', 'step'], change)
    return { commit, outcome: await checkpointer().commitStep(commit) }
  }
  const take = (of: WebhookScope, limit = 10, leaseMs = 60_000, token = 'a') =>
    store().take({ of, token, limit, leaseMs })
  const takeAll = async ({ tenant }: { tenant: string }, run = 'run-1') => take({ tenant, run })
  const settle = ({ tenant, id }: DueWebhook, change: Partial<WebhookFate> = {}, token = 'a') =>
    store().settle(
      { tenant, id, token },
      {
        ...{ id: `wd_${randomId()}`, outcome: 'delivered', status: 204, durationMs: 12, error: null },
        ...{ dueInMs: null, disables: false, ...change },
      },
    )
  const postponed = { outcome: 'postponed', status: 500, error: 'It answered 500.', dueInMs: 0 } as const
  return { store, endpoint, run, take, takeAll, settle, postponed }
}
