// A chat page on another origin than its server: `useChat`, a bearer token, and a thread that outlives the page.
import { useChat } from '@ai-sdk/react'
import { DefaultChatTransport, type UIMessage } from 'ai'
import { createRoot } from 'react-dom/client'

type Message = UIMessage<unknown, { withdrawn: { parts: number[] } }>

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

function Chat({ history }: { history: Message[] }) {
  // `resume` asks for an answer that is being given just now, and hears it from its beginning.
  const { messages, sendMessage, status, error } = useChat({ id: thread, messages: history, transport, resume: true })
  const send = (form: FormData) => void sendMessage({ text: String(form.get('text')) })
  // Leaving the stream would not end the turn: the server has to be told.
  const stop = () => void fetch(`${api}/chat/${thread}/stop`, { method: 'POST', headers })
  const busy = status === 'submitted' || status === 'streaming'
  return (
    <form action={busy ? stop : send}>
      {messages.map((message) => (
        <article key={message.id} className={message.role}>
          {textOf(message)}
        </article>
      ))}
      {error && <p role="alert">{error.message}</p>}
      <input name="text" placeholder="Say something" required={!busy} />
      <button type="submit">{busy ? 'Stop' : 'Send'}</button>
    </form>
  )
}

function textOf({ parts }: Message) {
  // Where the model began anew, what it had said before is named as withdrawn.
  const withdrawn = parts.flatMap((part) => (part.type === 'data-withdrawn' ? part.data.parts : []))
  return parts.map((part, index) => (part.type === 'text' && !withdrawn.includes(index) ? part.text : ''))
}

const stored = await fetch(`${api}/chat/${thread}/messages`, { headers })
createRoot(document.body).render(<Chat history={stored.ok ? await stored.json() : []} />)
