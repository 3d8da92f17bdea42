// A chat page on another origin than its server: `useChat` of the AI SDK, a bearer token, and a thread that outlives the page.
import { useChat } from '@ai-sdk/react'
import { DefaultChatTransport, type UIMessage } from 'ai'
import { type FormEvent, useState } from 'react'
import { createRoot } from 'react-dom/client'

/** `data-withdrawn` names parts that no longer hold: of an answer that the model began anew. */
type Message = UIMessage<unknown, { withdrawn: { parts: number[] } }>

// Yours come from your sign-in. Here they stand behind the `#` of the address, which no server sees.
const place = new URLSearchParams(location.hash.slice(1))
const api = place.get('api') ?? 'http://localhost:8787'
const thread = place.get('thread') ?? 'my-first-thread'
const headers = { authorization: `Bearer ${place.get('token')}` }

const transport = new DefaultChatTransport<Message>({
  api: `${api}/chat`,
  headers,
  // The server remembers the rest.
  prepareSendMessagesRequest: ({ id, messages, trigger }) => ({ body: { id, messages: messages.slice(-1), trigger } }),
})

function Chat({ history }: { history: Message[] }) {
  const [text, setText] = useState('')
  // `resume` asks for an answer that is being given just now, and hears it from its beginning.
  const chat = useChat<Message>({ id: thread, messages: history, transport, resume: true })
  const busy = chat.status === 'submitted' || chat.status === 'streaming'
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (busy) stop()
    else if (text !== '') chat.sendMessage({ text })
    setText('')
  }
  // Leaving a stream does not end the turn: the server has to be told.
  const stop = () => fetch(`${api}/chat/${thread}/stop`, { method: 'POST', headers })
  return (
    <>
      {chat.messages.map((message) => (
        <article key={message.id} className={message.role}>
          {partsOf(message)}
        </article>
      ))}
      {chat.error && <p role="alert">{chat.error.message}</p>}
      <form onSubmit={submit}>
        <input value={text} onChange={(event) => setText(event.target.value)} placeholder="Say something" />
        <button type="submit">{busy ? 'Stop' : 'Send'}</button>
      </form>
    </>
  )
}

function partsOf({ parts }: Message) {
  const withdrawn = new Set(parts.flatMap((part) => (part.type === 'data-withdrawn' ? part.data.parts : [])))
  const valid = parts.filter((_, index) => !withdrawn.has(index))
  return valid.map((part) =>
    part.type === 'text' ? part.text : part.type.startsWith('tool-') ? `[${part.type.slice(5)}] ` : '',
  )
}

const stored = await fetch(`${api}/chat/${thread}/messages`, { headers })
createRoot(document.body.querySelector('main') ?? document.body).render(
  <Chat history={stored.ok ? await stored.json() : []} />,
)
