// A thread's messages as the AI SDK shows them: what one run said, with its tool calls and their results, is one message.
import type { NewMessage } from '../agent/messages.ts'
import { isRecord } from '../kernel/json.ts'
import type { AssistantMessage, Message, ToolCall, ToolMessage } from '../ports/model.ts'
import type { PendingInterrupt } from '../runtime/events.ts'
import { type ApprovalsAs, type Denials, denialKey, endedParts, waitingParts } from './ui-approvals.ts'

export interface UiMessage {
  readonly id: string
  readonly role: 'user' | 'assistant'
  readonly parts: readonly UiPart[]
}

export type UiPart =
  | { readonly type: 'step-start' }
  | { readonly type: 'text'; readonly text: string; readonly state?: 'done' }
  | UiDataPart
  | UiToolPart

export interface UiDataPart {
  readonly type: `data-${string}`
  readonly id: string
  readonly data: unknown
}

export type UiToolPart = {
  readonly type: `tool-${string}`
  readonly toolCallId: string
  readonly input: unknown
} & (
  | { readonly state: 'input-available' }
  | { readonly state: 'output-available'; readonly output: unknown }
  | { readonly state: 'output-error'; readonly errorText: string }
  | { readonly state: 'approval-requested'; readonly approval: { readonly id: string } }
  | {
      readonly state: 'output-denied'
      readonly approval: { readonly id: string; readonly approved: false; readonly reason?: string }
    }
)

/** What the messages alone do not tell. */
export interface ThreadView {
  /** The run that waits for answers. A call of any other run that has no result gets none. */
  readonly waiting?: { readonly run: string; readonly interrupts: readonly PendingInterrupt[] }
  readonly denials?: Denials
  /** `calls` unless told otherwise. */
  readonly approvals?: ApprovalsAs
}

/**
 * Instructions (role `system`) are for the model and are left out. The id of an answer is the id of its run, as in the
 * stream; where a graph gave all of a run's messages ids of its own, it is the first of those.
 */
export function uiMessages(messages: readonly Message[], view: ThreadView = {}): UiMessage[] {
  const shown: UiMessage[] = []
  const taken = new Set<string>()
  let answer: Answer | undefined
  const close = () => {
    const closed = answer?.message(taken)
    if (closed !== undefined) shown.push({ ...closed, parts: endedParts(closed.parts) })
    answer = undefined
  }
  for (const message of messages) {
    if (message.role === 'system') continue
    if (message.role === 'user') {
      close()
      shown.push(uiUserMessage(message))
      taken.add(message.id)
      continue
    }
    const run = placeOf(message.id)?.run
    if (answer?.run !== undefined && run !== undefined && answer.run !== run) close()
    answer ??= new Answer(view)
    answer.add(message)
  }
  const { waiting, approvals = 'calls' } = view
  const ours = waiting !== undefined && (answer?.run === undefined || answer.run === waiting.run)
  const last = ours ? answer?.message(taken) : undefined
  if (waiting === undefined || !ours) close()
  if (waiting === undefined) return shown
  const parts = waitingParts(last?.parts ?? [], waiting.interrupts, approvals)
  return parts.length === 0 ? shown : [...shown, { id: last?.id ?? waiting.run, role: 'assistant', parts }]
}

export function uiUserMessage({ id, content }: { readonly id: string; readonly content: string }): UiMessage {
  return { id, role: 'user', parts: [{ type: 'text', text: content }] }
}

/** Without what this run has said so far: all from its first message after the last of a person. */
export function withoutAnswerOf(run: string, messages: readonly Message[]): readonly Message[] {
  return messages.slice(0, beginOf(run, messages))
}

/** The rest: what this run has said so far. */
export function answerOf(run: string, messages: readonly Message[]): readonly Message[] {
  return messages.slice(beginOf(run, messages))
}

function beginOf(run: string, messages: readonly Message[]): number {
  const last = messages.findLastIndex(({ role, id }) => {
    const from = placeOf(id)?.run
    return role === 'user' || role === 'system' || (from !== undefined && from !== run)
  })
  return last + 1
}

/** The messages in the channel `messages`; none for a graph that keeps something else there. */
export function messagesOf(values: Readonly<Record<string, unknown>>): readonly Message[] {
  const { messages } = values
  return Array.isArray(messages) ? messages.filter(isStored) : []
}

export function isMessage(value: unknown): value is NewMessage {
  return isRecord(value) && typeof value.role === 'string' && typeof value.content === 'string'
}

function isStored(value: unknown): value is Message {
  return isMessage(value) && typeof value.id === 'string'
}

/** Calls as they should be: messages may come from outside, where types alone do not hold. */
export function toolCallsOf({ toolCalls }: { readonly toolCalls?: readonly unknown[] }): readonly ToolCall[] {
  return Array.isArray(toolCalls) ? toolCalls.filter(isToolCall) : []
}

function isToolCall(value: unknown): value is ToolCall {
  return isRecord(value) && [value.id, value.name, value.arguments].every((field) => typeof field === 'string')
}

/** What a tool was called with. Arguments that are not JSON are shown as the model wrote them. */
export function inputOf(argumentsText: string): unknown {
  if (argumentsText.trim() === '') return {}
  try {
    return JSON.parse(argumentsText)
  } catch {
    return argumentsText
  }
}

/** A tool's objects and lists are in the thread as JSON; every other result is the text that the model read. */
export function outputOf(content: string): unknown {
  if (!/^\s*[[{]/.test(content)) return content
  try {
    return JSON.parse(content)
  } catch {
    return content
  }
}

/** The ids of messages that a run made begin with the run and the superstep. */
function placeOf(id: string): { run: string; step: string } | undefined {
  const { run, step } = /^(?<run>.+):(?<step>\d+):\d+:\d+(\.\d+)+$/.exec(id)?.groups ?? {}
  return run === undefined || step === undefined ? undefined : { run, step }
}

/** The superstep that made a message, if a run did. */
export function stepOf(id: string): number | undefined {
  const step = placeOf(id)?.step
  return step === undefined ? undefined : Number(step)
}

/** The message of one run while it is put together. */
class Answer {
  run: string | undefined
  readonly #parts: UiPart[] = []
  readonly #calls = new Map<string, number>()
  readonly #view: ThreadView
  #firstId: string | undefined
  #step: string | undefined

  constructor(view: ThreadView) {
    this.#view = view
  }

  add(message: AssistantMessage | ToolMessage): void {
    this.#firstId ??= message.id
    this.run ??= placeOf(message.id)?.run
    if (message.role === 'tool') this.#addResult(message)
    else this.#addReply(message)
  }

  /** A second answer of one run, after a person's words in mid-run, cannot have its id once more. */
  message(taken: Set<string>): UiMessage | undefined {
    const id = this.run !== undefined && !taken.has(this.run) ? this.run : this.#firstId
    if (id === undefined || this.#parts.length === 0) return undefined
    taken.add(id)
    return { id, role: 'assistant', parts: this.#parts }
  }

  #addReply(reply: AssistantMessage): void {
    const { id, content } = reply
    const step = placeOf(id)?.step ?? id
    if (step !== this.#step) this.#parts.push({ type: 'step-start' })
    this.#step = step
    if (content !== '') this.#parts.push({ type: 'text', text: content, state: 'done' })
    for (const call of toolCallsOf(reply)) {
      this.#calls.set(call.id, this.#parts.length)
      this.#parts.push(calledTool(call))
    }
  }

  #addResult({ toolCallId, content, status }: ToolMessage): void {
    const index = this.#calls.get(toolCallId)
    const part = index === undefined ? undefined : this.#parts[index]
    if (index === undefined || part === undefined || !('toolCallId' in part)) return
    const { type, input } = part
    const called = { type, toolCallId, input }
    if (status === 'denied' && this.#view.approvals !== 'data')
      this.#parts[index] = { ...called, state: 'output-denied', approval: this.#denial(toolCallId) }
    else if (status === 'denied' || status === 'error')
      this.#parts[index] = { ...called, state: 'output-error', errorText: content }
    else this.#parts[index] = { ...called, state: 'output-available', output: outputOf(content) }
  }

  /** Clients want the id of an approval; one that is deleted by now has none. */
  #denial(toolCallId: string) {
    const denial = this.#view.denials?.get(denialKey(this.run ?? '', toolCallId))
    const { approval: id, reason } = denial ?? { approval: toolCallId }
    return { id, approved: false, ...(reason !== undefined && { reason }) } as const
  }
}

export function calledTool({
  id,
  name,
  arguments: text,
}: ToolCall): UiToolPart & { readonly state: 'input-available' } {
  return { type: `tool-${name}`, toolCallId: id, state: 'input-available', input: inputOf(text) }
}
