// Somebody with a token who speaks to a stack, and hears every answer as it crossed the wire.

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly ms: number
}

export interface Message {
  readonly type: string
  readonly status?: string
  readonly content: string
}

export type Speaker = ReturnType<typeof speaker>

/** Bodies go as they are given, sound or not. An empty token is none. */
export function speaker(base: string, token: string) {
  const request = (method: string, text: string): RequestInit => {
    const authorization: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` }
    return { method, headers: { ...authorization, 'content-type': 'application/json' }, body: text || null }
  }
  const send = async (method: string, path: string, text = ''): Promise<Answer> => {
    const startedAt = performance.now()
    const response = await fetch(base + path, request(method, text))
    const { status, headers } = response
    return { status, headers, text: await response.text(), ms: performance.now() - startedAt }
  }
  return {
    request,
    send,
    say: (thread: string, content: string) => send('POST', `/threads/${thread}/runs/wait`, turnText(content)),
    chat: (thread: string, content: string) =>
      send('POST', '/chat', JSON.stringify({ id: thread, ...chatMessage(content) })),
    /** What each message of the thread says. */
    contentsOf: async (thread: string): Promise<string[]> => {
      const { text } = await send('GET', `/threads/${thread}/state`)
      const { values }: { values: { messages?: Message[] } } = JSON.parse(text)
      return (values.messages ?? []).map(({ content }) => content)
    },
  }
}

export function turnText(content: string, role = 'user'): string {
  return JSON.stringify({ assistant_id: 'support', if_not_exists: 'create', input: { messages: [{ role, content }] } })
}

export function chatMessage(text: string) {
  return { messages: [{ role: 'user', parts: [{ type: 'text', text }] }] }
}

/** The last message of a turn that was waited for. */
export function lastOf({ text }: Answer): string {
  const { messages }: { messages: Message[] } = JSON.parse(text)
  return messages.at(-1)?.content ?? ''
}
