// Messages in the LangGraph wire: `{ type: "human" | "ai" | "tool" | "system", content, … }`, both ways.
import type { Channel } from '../graph/channel.ts'
import type { Graph } from '../graph/graph.ts'
import { RecollectError } from '../kernel/errors.ts'
import { isRecord } from '../kernel/json.ts'
import type { AssistantMessage, Message, ToolCall } from '../ports/model.ts'

export type WireMessage = { readonly type: string; readonly id?: string } & Readonly<Record<string, unknown>>

/** A message, or a write of one, which may have no id yet or take one away. */
export function wireMessage(message: Message | { readonly role: 'removed'; readonly id: string }): WireMessage {
  const { id } = message
  const plain = { id, additional_kwargs: {}, response_metadata: {} }
  switch (message.role) {
    case 'user':
      return { type: 'human', content: message.content, ...plain }
    case 'system':
      return { type: 'system', content: message.content, ...plain }
    case 'tool': {
      const { content, name, status, toolCallId } = message
      // The LangGraph wire has two: what was not approved is no success.
      const told = status === 'denied' ? 'error' : status
      return { type: 'tool', content, name, status: told, tool_call_id: toolCallId, ...plain }
    }
    case 'assistant':
      return { type: 'ai', content: message.content, ...plain, ...wireReply(message) }
    case 'removed':
      return { type: 'remove', content: '', ...plain }
  }
}

function wireReply({ toolCalls = [], finishReason, model, usage }: AssistantMessage) {
  const calls = toolCalls.map(wireCall)
  return {
    tool_calls: calls.filter(({ type }) => type === 'tool_call'),
    invalid_tool_calls: calls.filter(({ type }) => type === 'invalid_tool_call'),
    response_metadata: {
      ...(finishReason !== undefined && { finish_reason: finishReason }),
      ...(model !== undefined && { model_name: model }),
    },
    ...(usage !== undefined && {
      usage_metadata: {
        input_tokens: usage.inputTokens,
        output_tokens: usage.outputTokens,
        total_tokens: usage.inputTokens + usage.outputTokens,
      },
    }),
  }
}

/** Arguments that are no JSON object are shown as the model wrote them, in the list for those. */
function wireCall({ id, name, arguments: written }: ToolCall) {
  const args = parsed(written)
  return isRecord(args)
    ? { type: 'tool_call', id, name, args }
    : { type: 'invalid_tool_call', id, name, args: written, error: 'The arguments are not a JSON object.' }
}

function parsed(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** State for a reader: messages in their wire form, everything else as it is. */
export function wireValues(graph: Graph, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const named = messageChannels(graph)
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      named.has(name) ? listOf(value).map((message) => wireMessage(message as Message)) : value,
    ]),
  )
}

/** Input from a client: of messages only those of the person, since all others are ours to write. */
export function inputOfWire(graph: Graph, input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const named = messageChannels(graph)
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => [
      name,
      named.has(name) ? listOf(value).map((message, index) => humanMessage(message, `${name}.${index}`)) : value,
    ]),
  )
}

function humanMessage(message: unknown, place: string): { role: 'user'; content: string; id?: string } {
  if (!isRecord(message)) throw refused(place, 'must be an object such as { "type": "human", "content": "Hi" }')
  const kind = message.type ?? message.role
  if (kind !== 'human' && kind !== 'user') {
    const shown = typeof kind === 'string' ? `"${kind.slice(0, 40)}"` : 'of no known type'
    throw refused(place, `is ${shown}; from a client only "human" messages are taken, the others the graph writes`)
  }
  const { id } = message
  if (id !== undefined && id !== null && (typeof id !== 'string' || id === '' || id.length > 256)) {
    throw refused(place, 'has an id that is not a string of 1 to 256 characters')
  }
  const content = textOf(message.content, place)
  return typeof id === 'string' ? { role: 'user', content, id } : { role: 'user', content }
}

function textOf(content: unknown, place: string): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw refused(place, 'must have a content: a string or a list of text parts')
  return content
    .map((part: unknown) => {
      if (isRecord(part) && part.type === 'text' && typeof part.text === 'string') return part.text
      throw new RecollectError(
        'feature_unsupported',
        `${place}.content has a part that is no text. Only text parts, { "type": "text", "text": "…" }, are supported.`,
      )
    })
    .join('')
}

function refused(place: string, problem: string): RecollectError {
  return new RecollectError('input_invalid', `The input is not valid: ${place} ${problem}.`)
}

const known = new WeakMap<Graph, ReadonlySet<string>>()

/** The channels of a graph that hold messages. */
export function messageChannels(graph: Graph): ReadonlySet<string> {
  const found =
    known.get(graph) ?? new Set(Object.keys(graph.channels).filter((name) => holdsMessages(graph.channels[name])))
  known.set(graph, found)
  return found
}

/** Channels carry no mark. One that gives a message without an id the id it was minted is one of messages; reducers are pure. */
function holdsMessages(channel: Channel<unknown, unknown> | undefined): boolean {
  try {
    const probe = { role: 'user', content: '' }
    const [message] = listOf(channel?.reduce([], probe, () => 'minted'))
    return isRecord(message) && message.role === 'user' && message.id === 'minted'
  } catch {
    return false
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value]
}
