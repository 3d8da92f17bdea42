// The messages channel and the small words around it.
import { type Channel, channel, type MintId } from '../graph/channel.ts'
import { RecollectError } from '../kernel/errors.ts'
import { isRecord } from '../kernel/json.ts'
import type { AssistantMessage, Message, SystemMessage, UserMessage } from '../ports/model.ts'

type WithoutId<M> = M extends Message ? Omit<M, 'id'> & { readonly id?: string } : never

/** A message as it is written: without an id it gets one. */
export type NewMessage = WithoutId<Message>

/** Takes the message with this id out of what nodes and readers see from now on; earlier checkpoints keep it. */
export interface RemovedMessage {
  readonly role: 'removed'
  readonly id: string
}

export type MessageWrite = NewMessage | RemovedMessage

/**
 * A conversation: new messages are appended, one with a known id takes the place of the old. Refused is what is no message, or has the id
 * of one of another role: as input with `input_invalid`, from a node with `node_write_invalid`.
 */
export function messages(): Channel<readonly Message[], MessageWrite | readonly MessageWrite[]> {
  return channel({
    initial: () => [],
    reduce: (current: readonly Message[], update: MessageWrite | readonly MessageWrite[], mintId) =>
      (isList(update) ? update : [update]).reduce<readonly Message[]>(
        (list, write) => put(list, write, mintId),
        current,
      ),
  })
}

/** A message from the person. */
export function user(content: string): Omit<UserMessage, 'id'> {
  return { role: 'user', content }
}

/** Instructions that stay in the thread. For those that should not, see `system` of `model.reply`. */
export function system(content: string): Omit<SystemMessage, 'id'> {
  return { role: 'system', content }
}

/** An answer that no model gave, such as an example. */
export function assistant(content: string): Omit<AssistantMessage, 'id'> {
  return { role: 'assistant', content }
}

/** Of an id that there is not it takes nothing out. */
export function removeMessage(id: string): RemovedMessage {
  return { role: 'removed', id }
}

/** Text of the last message, or '' for none. */
export function latestText({ messages }: { readonly messages: readonly Message[] }): string {
  return messages.at(-1)?.content ?? ''
}

/** Whether the last message asks for tools: the usual route out of a model node. */
export function callsTools({ messages }: { readonly messages: readonly Message[] }): boolean {
  const latest = messages.at(-1)
  return latest?.role === 'assistant' && (latest.toolCalls?.length ?? 0) > 0
}

function put(list: readonly Message[], write: MessageWrite, mintId: MintId): readonly Message[] {
  assertMessage(write)
  if (write.role === 'removed') return list.filter(({ id }) => id !== write.id)
  const message = { ...write, id: write.id ?? mintId() } as Message
  const index = write.id === undefined ? -1 : list.findIndex(({ id }) => id === write.id)
  const old = list[index]
  if (old === undefined) return [...list, message]
  if (old.role !== message.role) {
    throw refused(
      `the id "${message.id}" is that of a message of role "${old.role}"; one of role "${message.role}" cannot take its place`,
    )
  }
  return list.with(index, message)
}

const roles = ['user', 'system', 'assistant', 'tool', 'removed']

/** Writes come from outside too: types alone do not hold there. */
function assertMessage(write: unknown): asserts write is MessageWrite {
  if (!isRecord(write)) throw refused('the whole must be an object such as { "role": "user", "content": "Hi" }')
  const { role, content, id, toolCalls, toolCallId } = write
  if (typeof role !== 'string' || !roles.includes(role)) throw refused(`role must be one of ${roles.join(', ')}`)
  if (role !== 'removed' && typeof content !== 'string') throw refused('content must be a string')
  if (id !== undefined && (typeof id !== 'string' || id === '' || id.length > 256)) {
    throw refused('id must be a string of 1 to 256 characters')
  }
  if (role === 'removed' && id === undefined) throw refused('a removal must name the id of a message')
  if (role === 'tool' && typeof toolCallId !== 'string') throw refused('role "tool" needs a toolCallId')
  if (toolCalls !== undefined && !(Array.isArray(toolCalls) && toolCalls.every(isToolCall))) {
    throw refused('toolCalls must be an array of { id, name, arguments }, each a string')
  }
}

function isToolCall(call: unknown): boolean {
  return isRecord(call) && [call.id, call.name, call.arguments].every((part) => typeof part === 'string')
}

function refused(problem: string): RecollectError {
  return new RecollectError('input_invalid', `In a message, ${problem}.`)
}

function isList(update: MessageWrite | readonly MessageWrite[]): update is readonly MessageWrite[] {
  return Array.isArray(update)
}
