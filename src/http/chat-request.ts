// What a chat client sends, and how little of it is believed: the thread's id, and the text of the person's last message.
import * as z from 'zod/mini'
import { RecollectError } from '../kernel/errors.ts'
import { assertId, randomId } from '../kernel/id.ts'
import type { UserMessage } from '../ports/model.ts'
import { checked } from './validation.ts'

/** As `useChat` sends it. Whatever else it holds is not read: history, tools and owner are in the thread and the token. */
export const chatBody = z.looseObject({
  id: z.string(),
  messages: z.array(z.unknown()).check(z.minLength(1)),
  trigger: z.optional(z.enum(['submit-message', 'regenerate-message'])),
})

const lastMessage = z.looseObject({
  role: z.literal('user'),
  parts: z.array(z.looseObject({ type: z.string(), text: z.optional(z.string()) })),
})

export interface ChatRequest {
  readonly thread: string
  readonly message: UserMessage
  /** A message sent twice is one turn. Absent when the client gave its message no id that would do. */
  readonly key: string | undefined
}

export function chatRequestOf({ id: thread, messages, trigger }: z.output<typeof chatBody>): ChatRequest {
  assertId('thread', thread)
  if (trigger === 'regenerate-message') {
    throw new RecollectError(
      'feature_unsupported',
      'Answering a message anew is not supported by this version. Send a new message.',
    )
  }
  const { id, parts } = checked(lastMessage, messages.at(-1), 'The last message')
  if (parts.some(({ type }) => type === 'file')) {
    throw new RecollectError('feature_unsupported', 'Files are not supported by this version. Send text.')
  }
  const content = parts.flatMap(({ type, text = '' }) => (type === 'text' ? [text] : [])).join('')
  if (content === '') throw new RecollectError('input_invalid', 'The last message has no text.')
  const key = isSound(id) ? id : undefined
  return { thread, key, message: { id: key ?? randomId(), role: 'user', content } }
}

/** Ids that runs give to messages hold colons, so that a client can never name one of those. */
function isSound(id: unknown): id is string {
  return typeof id === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(id)
}
