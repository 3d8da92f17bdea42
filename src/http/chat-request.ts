// What a chat client sends, and how little of it is believed: the thread's id, the text of the person's last message, and
// what the person decided on calls that wait for them.

import * as z from 'zod/mini'
import { RecollectError } from '../kernel/errors.ts'
import { assertId, randomId } from '../kernel/id.ts'
import type { UserMessage } from '../ports/model.ts'
import { lazily, type Output } from './lazily.ts'
import { Anything, Flag, Text } from './plain.ts'
import type { ApprovalsAs } from './ui-approvals.ts'
import { checked } from './validation.ts'

/** How approvals are shown: `data`, for clients of ai 5. */
export const approvalsField = lazily(() => z.optional(z.literal('data')))

/** As `useChat` sends it. Whatever else it holds is not read: history, tools, arguments and owner are in the thread and the token. */
export const chatBody = lazily(() =>
  z.looseObject({
    id: Text,
    messages: z.array(Anything).check(z.minLength(1)),
    trigger: z.optional(z.enum(['submit-message', 'regenerate-message'])),
    approvals: approvalsField(),
  }),
)

const lastMessage = lazily(() =>
  z.looseObject({
    role: z.enum(['user', 'assistant']),
    parts: z.array(z.looseObject({ type: Text, text: z.optional(Text) })),
  }),
)

const decision = lazily(() =>
  z.looseObject({
    id: z.string().check(z.minLength(1), z.maxLength(200)),
    approved: Flag,
    reason: z.optional(z.nullable(Text)),
  }),
)

interface Posted {
  readonly thread: string
  readonly approvals: ApprovalsAs
}

export interface SentMessage extends Posted {
  readonly message: UserMessage
  /** A message sent twice is one turn. Absent when the client gave its message no id that would do. */
  readonly key: string | undefined
}

export interface Decision {
  /** Of the approval. */
  readonly id: string
  readonly approved: boolean
  readonly reason: string | undefined
}

export interface SentDecisions extends Posted {
  readonly decisions: readonly Decision[]
  /** How many parts the page's message has: what is told further counts from there. */
  readonly parts: number
}

export type ChatRequest = SentMessage | SentDecisions

export function chatRequestOf(body: Output<typeof chatBody>): ChatRequest {
  const { id: thread, messages, trigger } = body
  const place = { thread, approvals: body.approvals ?? 'calls' } as const
  assertId('thread', thread)
  if (trigger === 'regenerate-message') {
    throw new RecollectError(
      'feature_unsupported',
      'Answering a message anew is not supported by this version. Send a new message.',
    )
  }
  const last = checked(lastMessage(), messages.at(-1), 'The last message')
  if (last.role === 'assistant') return { ...place, decisions: decisionsIn(last.parts), parts: last.parts.length }
  if (last.parts.some(({ type }) => type === 'file')) {
    throw new RecollectError('feature_unsupported', 'Files are not supported by this version. Send text.')
  }
  const content = last.parts.flatMap(({ type, text = '' }) => (type === 'text' ? [text] : [])).join('')
  if (content === '') throw new RecollectError('input_invalid', 'The last message has no text.')
  const key = isSound(last.id) ? last.id : undefined
  return { ...place, key, message: { id: key ?? randomId(), role: 'user', content } }
}

/** Each once. A part that has been answered otherwise than by yes or no is no decision, and neither is what it says of the call. */
function decisionsIn(parts: readonly Readonly<Record<string, unknown>>[]): Decision[] {
  const decided = parts.flatMap(({ type, state, approval, data }) => {
    if (type === 'data-approval') return isDecided(data) ? [data] : []
    return state === 'approval-responded' ? [approval] : []
  })
  const decisions = checked(z.array(decision()).check(z.maxLength(100)), decided, 'What was decided')
  if (decisions.length === 0) {
    throw new RecollectError(
      'input_invalid',
      'The last message is an answer in which nobody has decided on a call: send a message of a person, or decide.',
    )
  }
  const byId = new Map(decisions.map(({ id, approved, reason }) => [id, { id, approved, reason: reason ?? undefined }]))
  return [...byId.values()]
}

function isDecided(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'approved' in data
}

/** Ids that runs give to messages hold colons, so that a client can never name one of those. */
function isSound(id: unknown): id is string {
  return typeof id === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(id)
}
