// The review page: exactly what will run, and a form to decide it. Plain HTML that needs no script and loads nothing.
import { html, raw } from 'hono/html'
import { decode } from '../kernel/json.ts'
import type { ApprovalRecord } from '../ports/approvals.ts'

type Html = ReturnType<typeof html>

export function reviewPage(approval: ApprovalRecord, by: string | null): Html {
  const { kind, requester, thread, graph, node, createdAt, expiresAt } = approval
  const shown = decode(approval.payload)
  const tool = toolOf(kind, shown)
  const title = tool === undefined ? `A question: ${kind}` : `May ${tool.tool} run?`
  return page(
    title,
    html`${tool?.description === undefined ? '' : html`<p>${visible(tool.description)}</p>`}
<h2 id="shown">${tool === undefined ? 'What is asked' : 'It will run with exactly these arguments'}</h2>
<pre aria-labelledby="shown" tabindex="0">${visible(pretty(tool === undefined ? shown : tool.arguments))}</pre>
<dl><dt>For</dt><dd>${visible(requester)}</dd><dt>Thread</dt><dd>${thread}</dd><dt>Asked by</dt><dd>${node} of ${graph}</dd>
<dt>Asked at</dt><dd><time datetime="${createdAt}">${createdAt}</time></dd>
${expiresAt === null ? '' : html`<dt>Expires at</dt><dd><time datetime="${expiresAt}">${expiresAt}</time></dd>`}
${by === null ? '' : html`<dt>You answer as</dt><dd>${visible(by)}</dd>`}</dl>
${approval.status === 'pending' ? form(tool) : outcome(approval)}`,
  )
}

/** What went wrong, for a person. */
export function refusalPage(message: string): Html {
  return page('This cannot be answered', html`<p role="alert">${message}</p>`)
}

interface ShownTool {
  readonly tool: string
  readonly description?: string
  readonly arguments: unknown
}

function toolOf(kind: string, shown: unknown): ShownTool | undefined {
  return kind === 'tool-approval' ? (shown as ShownTool) : undefined
}

function form(tool: ShownTool | undefined): Html {
  if (tool === undefined) {
    return html`<form method="post"><p><label for="answer">Your answer, as JSON</label>
<textarea id="answer" name="answer" rows="6" required spellcheck="false"></textarea></p>
<p><button>Send the answer</button></p></form>`
  }
  return html`<form method="post"><p><button name="decision" value="approve">Approve</button></p></form>
<form method="post"><p><label for="reason">Reason, which the agent is told (optional)</label>
<input id="reason" name="reason" maxlength="2000"></p><p><button name="decision" value="reject">Reject</button></p></form>
<details><summary>Change the arguments</summary><form method="post">
<p><label for="arguments">Arguments, as JSON. They will be asked for again.</label>
<textarea id="arguments" name="arguments" rows="8" required spellcheck="false">${pretty(tool.arguments)}</textarea></p>
<p><button name="decision" value="edit">Ask again with these</button></p></form></details>
<details><summary>Answer in its place</summary><form method="post">
<p><label for="text">What the agent is told instead of running it</label>
<textarea id="text" name="text" rows="4" required></textarea></p>
<p><button name="decision" value="respond">Send</button></p></form></details>`
}

function outcome({ status, answer, answeredBy, answeredAt, answeredVia }: ApprovalRecord): Html {
  if (status !== 'answered') {
    return html`<p role="status"><strong>${status === 'expired' ? 'It has expired.' : 'It is no longer asked.'}</strong></p>`
  }
  return html`<p role="status"><strong>It was answered</strong> by ${visible(answeredBy ?? '')} (${answeredVia}), ${answeredAt}:</p>
<pre tabindex="0">${visible(pretty(answer === null ? null : decode(answer)))}</pre>`
}

function page(title: string, body: Html): Html {
  return html`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>${title}</title><style>${raw(style)}</style></head>
<body><main><h1>${title}</h1>${body}</main></body></html>`
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? ''
}

/** Characters that hide or reorder others are shown by number, so that what is read is what runs. */
function visible(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}
h1{font-size:1.4rem}h2{font-size:1rem}pre{background:#f5f5f7;padding:.8rem;border-radius:6px;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#555}dd{margin:0;overflow-wrap:anywhere}
form{margin:1rem 0}label{display:block}input,textarea{width:100%;box-sizing:border-box;font:inherit;padding:.4rem}textarea{font-family:ui-monospace,monospace}
button{font:inherit;padding:.5rem 1.2rem;cursor:pointer}:focus-visible{outline:3px solid #36c;outline-offset:2px}
@media(prefers-color-scheme:dark){body{color:#e6e6ea;background:#16161a}pre,input,textarea{background:#1f1f25;color:inherit}dt{color:#aaa}}`
