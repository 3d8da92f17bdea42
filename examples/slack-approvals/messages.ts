// What people see in the channel, as Block Kit. Arguments are shown as they are, never as markup.

/** `data` of `approval.requested`. */
export interface Asked {
  readonly run_id: string
  readonly thread_id: string
  readonly approval: {
    readonly id: string
    readonly kind: string
    readonly node: string
    readonly payload: { readonly tool: string; readonly description: string; readonly arguments: unknown } | null
    readonly expires_at: string | null
  }
  readonly review_url?: string
}

/** The part of Slack's `block_actions` that matters here. */
export interface Click {
  readonly type: string
  readonly user: { readonly id: string }
  readonly response_url: string
  readonly actions: readonly { readonly action_id: string; readonly action_ts: string; readonly value: string }[]
}

/** Slack shows no more in one block. */
const longest = 3_000

export function askingMessage({ run_id, thread_id, approval, review_url }: Asked): object {
  const { id, kind, payload, expires_at } = approval
  const shown = JSON.stringify(kind === 'tool-approval' ? payload?.arguments : payload, undefined, 2) ?? ''
  const title = kind === 'tool-approval' && payload ? `May "${payload.tool}" run?` : `A run asks: ${kind}`
  // Nobody decides here about what is not all to be seen here, or takes another answer.
  const decidable = kind === 'tool-approval' && payload !== null && shown.length <= longest
  const value = JSON.stringify({ id, run_id })
  const button = (action_id: string, text: string, style: string) => ({
    ...{ type: 'button', action_id, value, style, text: { type: 'plain_text', text } },
  })
  const buttons = decidable ? [button('approve', 'Approve', 'primary'), button('reject', 'Deny', 'danger')] : []
  const link = {
    type: 'button',
    action_id: 'review',
    url: review_url,
    text: { type: 'plain_text', text: 'See all of it' },
  }
  const elements = [...buttons, ...(review_url === undefined ? [] : [link])]
  const place = `Thread ${thread_id}${expires_at === null ? '' : `, to be decided before ${expires_at}`}`
  return {
    text: title,
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: title.slice(0, 150) } },
      ...(decidable ? [preformatted(shown)] : []),
      { type: 'context', elements: [{ type: 'plain_text', text: place }] },
      ...(elements.length > 0 ? [{ type: 'actions', elements }] : []),
    ],
  }
}

/** In the place of the buttons. */
export function answerMessage(
  { user }: Click,
  decision: string,
  { code }: { readonly code: string | undefined },
): object {
  const told = decision === 'approve' ? `Approved by <@${user.id}>.` : `Denied by <@${user.id}>.`
  const refusals: Record<string, string> = {
    approval_answered: 'Somebody else has decided already.',
    approval_expired: 'It is too late: nobody decided in time.',
    approval_cancelled: 'It is no longer asked.',
    approval_unknown: 'It is no longer there.',
    approval_forbidden: `<@${user.id}> may not decide this.`,
  }
  return {
    replace_original: true,
    text: code === undefined ? told : (refusals[code] ?? `recollect refused it (${code}).`),
  }
}

function preformatted(text: string): object {
  return { type: 'rich_text', elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text }] }] }
}
