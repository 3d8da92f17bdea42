// A chat page on another origin than its server: `useChat`, a bearer token, and a thread that outlives the page.
import { useChat } from '@ai-sdk/react'
import {
  DefaultChatTransport,
  isStaticToolUIPart,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  type UIMessage,
} from 'ai'
import { useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'

type Message = UIMessage<unknown, { withdrawn: { parts: number[] } }>
type Call = Extract<Message['parts'][number], { toolCallId: string }>
type Decide = (approved: boolean, reason?: string) => void

// Yours come from your sign-in. Here they stand behind the `#` of the address, which no server sees.
const place = new URLSearchParams(location.hash.slice(1))
const [api, thread] = [place.get('api') ?? 'http://localhost:8787', place.get('thread') ?? 'first']
const headers = { authorization: `Bearer ${place.get('token')}` }

const transport = new DefaultChatTransport<Message>({
  api: `${api}/chat`,
  headers,
  // The server remembers the rest.
  prepareSendMessagesRequest: ({ id, messages, trigger }) => ({ body: { id, messages: messages.slice(-1), trigger } }),
})

async function stored(): Promise<Message[]> {
  const response = await fetch(`${api}/chat/${thread}/messages`, { headers })
  return response.ok ? response.json() : []
}

function Chat({ history }: { history: Message[] }) {
  const chat = useChat({
    id: thread,
    messages: history,
    transport,
    // Asks for an answer that is being given just now, and hears it from its beginning.
    resume: true,
    // What was decided on calls is sent once nothing of the answer waits any more.
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
  })
  const { messages, sendMessage, setMessages, resumeStream, addToolApprovalResponse, status, error } = chat
  const send = (form: FormData) => void sendMessage({ text: String(form.get('text')) })
  // Leaving the stream would not end the turn: the server has to be told.
  const stop = () => void fetch(`${api}/chat/${thread}/stop`, { method: 'POST', headers })
  const busy = status === 'submitted' || status === 'streaming'
  const waiting = messages
    .at(-1)
    ?.parts.map(approvalOf)
    .find((id) => id !== undefined)

  // Somebody else may decide, on another page or by a webhook: then the answer goes on, and is heard from its beginning.
  useEffect(() => {
    if (waiting === undefined || busy) return
    const timer = setInterval(async () => {
      const response = await fetch(`${api}/approvals/${waiting}`, { headers })
      if (!response.ok || (await response.json()).status === 'pending') return
      clearInterval(timer)
      setMessages(await stored())
      await resumeStream()
      setMessages(await stored())
    }, 1_000)
    return () => clearInterval(timer)
  }, [waiting, busy, setMessages, resumeStream])

  return (
    <form action={busy ? stop : send}>
      {messages.map((message) => (
        <article key={message.id} className={message.role}>
          {textOf(message)}
          {message.parts.filter(isStaticToolUIPart).map((part) => (
            <ToolCall
              key={part.toolCallId}
              part={part}
              decide={(approved, reason) =>
                part.approval && addToolApprovalResponse({ id: part.approval.id, approved, ...(reason && { reason }) })
              }
            />
          ))}
        </article>
      ))}
      {error && <p role="alert">{error.message}</p>}
      <input name="text" placeholder="Say something" required={!busy} />
      <button type="submit">{busy ? 'Stop' : 'Send'}</button>
    </form>
  )
}

/** With exactly what will run: the server does not take arguments from a page. */
function ToolCall({ part, decide }: { part: Call; decide: Decide }) {
  const [reason, setReason] = useState('')
  return (
    <fieldset>
      <legend>{part.type.slice('tool-'.length)}</legend>
      <code>{JSON.stringify(part.input)}</code>
      {part.state === 'approval-requested' ? (
        <p>
          <button type="button" onClick={() => decide(true)}>
            Approve
          </button>
          <input placeholder="Why not?" value={reason} onChange={(event) => setReason(event.target.value)} />
          <button type="button" onClick={() => decide(false, reason)}>
            Deny
          </button>
        </p>
      ) : (
        <output>{outcomeOf(part)}</output>
      )}
    </fieldset>
  )
}

function outcomeOf(part: Call): string {
  if (part.state === 'output-available') return JSON.stringify(part.output)
  if (part.state === 'output-error') return part.errorText
  return part.state === 'output-denied' ? `Denied. ${part.approval.reason ?? ''}` : '…'
}

function approvalOf(part: Message['parts'][number]): string | undefined {
  return isStaticToolUIPart(part) && part.state === 'approval-requested' ? part.approval.id : undefined
}

function textOf({ parts }: Message) {
  // Where the model began anew, what it had said before is named as withdrawn.
  const withdrawn = parts.flatMap((part) => (part.type === 'data-withdrawn' ? part.data.parts : []))
  return parts.map((part, index) => (part.type === 'text' && !withdrawn.includes(index) ? part.text : ''))
}

createRoot(document.body).render(<Chat history={await stored()} />)
