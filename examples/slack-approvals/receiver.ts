// Approvals in a Slack channel: takes `approval.requested`, posts it with two buttons, and answers with what was clicked.
// It keeps nothing, so it runs anywhere that speaks `fetch`: here in Node (serve.ts), as it is in a Worker.
import { Hono } from 'hono'
import { type Asked, answerMessage, askingMessage, type Click } from './messages.ts'
import { hmac, isFresh, isSame, signed, verified } from './signatures.ts'

export interface ReceiverOptions {
  /** Where recollect is, and which of its tenants this channel is for. */
  readonly recollect: { readonly url: string; readonly tenant: string }
  /** `whsec_…` of the endpoint: `POST /webhooks/endpoints` has shown it. */
  readonly endpointSecret: string
  /** `whsec_…` that answers are signed with: `POST /webhooks/keys` has shown it. */
  readonly key: string
  readonly slack: {
    /** Signing Secret of the Slack app. */
    readonly signingSecret: string
    /** An Incoming Webhook of the channel. */
    readonly webhookUrl: string
    /** Ids of those who may decide; anybody in the channel unless told otherwise. */
    readonly approvers?: readonly string[]
  }
}

export function slackReceiver(options: ReceiverOptions): Hono {
  const app = new Hono()

  app.post('/recollect', async (context) => {
    const body = await context.req.text()
    if (!(await verified(context.req.raw.headers, body, options.endpointSecret)))
      return context.text('Not signed.', 401)
    const event: { type: string; data: Asked } = JSON.parse(body)
    if (event.type !== 'approval.requested') return context.body(null, 204)
    const posted = await post(options.slack.webhookUrl, askingMessage(event.data))
    // Not posted: recollect sends it again, by its schedule.
    return posted.ok ? context.body(null, 204) : context.text('Slack did not take it.', 502)
  })

  app.post('/slack/interactions', async (context) => {
    const body = await context.req.text()
    if (!(await fromSlack(context.req.raw.headers, body, options.slack.signingSecret)))
      return context.text('Not signed.', 401)
    const click: Click = JSON.parse(new URLSearchParams(body).get('payload') ?? 'null')
    const [action] = click?.type === 'block_actions' ? click.actions : []
    if (action === undefined || !['approve', 'reject'].includes(action.action_id)) return context.body(null, 200)
    const { approvers } = options.slack
    if (approvers && !approvers.includes(click.user.id)) {
      await post(click.response_url, {
        replace_original: false,
        response_type: 'ephemeral',
        text: 'This is for others to decide.',
      })
      return context.body(null, 200)
    }
    const answer = await answered(options, click, action)
    // No word of this approval: Slack shows that the click failed, and the buttons stay.
    if (![200, 403, 404, 409].includes(answer.status) || answer.code === 'approval_early')
      return context.text('recollect did not take it.', 502)
    await post(click.response_url, answerMessage(click, action.action_id, answer))
    return context.body(null, 200)
  })

  return app
}

/** One id a click: Slack may send it twice, and recollect takes it once. */
async function answered(
  { recollect, key }: ReceiverOptions,
  { user }: Click,
  { action_id, action_ts, value }: Click['actions'][number],
) {
  const asked: { id: string; run_id: string } = JSON.parse(value)
  const id = `slack_${asked.id}_${action_ts.replace('.', '_')}`
  const data = { ...asked, answer: { decision: action_id }, by: `slack:${user.id}` }
  const body = JSON.stringify({ type: 'approval.answered', timestamp: new Date().toISOString(), data })
  const headers = { 'content-type': 'application/json', ...(await signed(id, body, key)) }
  const url = `${recollect.url}/webhooks/${encodeURIComponent(recollect.tenant)}/approvals`
  const response = await fetch(url, { method: 'POST', headers, body })
  const { code }: { code?: string } = await response.json()
  return { status: response.status, code }
}

/** `v0=` and HMAC-SHA256 of `v0:timestamp:body`: https://docs.slack.dev/authentication/verifying-requests-from-slack */
async function fromSlack(headers: Headers, body: string, signingSecret: string): Promise<boolean> {
  const timestamp = headers.get('x-slack-request-timestamp') ?? ''
  if (!isFresh(timestamp)) return false
  const bytes = await hmac(new TextEncoder().encode(signingSecret), `v0:${timestamp}:${body}`)
  const expected = `v0=${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
  return isSame(headers.get('x-slack-signature') ?? '', expected)
}

function post(url: string, message: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(message), signal: AbortSignal.timeout(5_000) })
}
