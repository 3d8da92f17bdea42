// Chunks of the AI SDK's UI message stream: the part that every client from ai 5.0.0 to ai 7 accepts. An unknown type ends
// the stream in all of them, an unknown key in many, so `finish` has no `finishReason` (clients before November 2025 refuse
// the key; it is in the message's metadata) and arguments that are not JSON are no `tool-input-error` (5.0.0 has none).
// `tool-approval-request` and `tool-output-denied` are for ai 6 and later: a client of ai 5 asks for data parts instead.
import { problemOf } from './problem.ts'
import type { UiDataPart, UiMessage, UiPart, UiToolPart } from './ui-messages.ts'
import { wireText } from './wire.ts'

export type UiChunk =
  | { readonly type: 'start'; readonly messageId: string; readonly messageMetadata: Metadata }
  | { readonly type: 'start-step' | 'finish-step' | 'abort' }
  | { readonly type: 'text-start' | 'text-end'; readonly id: string }
  | { readonly type: 'text-delta'; readonly id: string; readonly delta: string }
  | { readonly type: 'tool-input-start'; readonly toolCallId: string; readonly toolName: string }
  | { readonly type: 'tool-input-delta'; readonly toolCallId: string; readonly inputTextDelta: string }
  | {
      readonly type: 'tool-input-available'
      readonly toolCallId: string
      readonly toolName: string
      readonly input: unknown
    }
  | { readonly type: 'tool-output-available'; readonly toolCallId: string; readonly output: unknown }
  | { readonly type: 'tool-output-error'; readonly toolCallId: string; readonly errorText: string }
  | { readonly type: 'tool-approval-request'; readonly approvalId: string; readonly toolCallId: string }
  | { readonly type: 'tool-output-denied'; readonly toolCallId: string }
  | { readonly type: `data-${string}`; readonly id?: string; readonly data: unknown }
  | { readonly type: 'message-metadata' | 'finish'; readonly messageMetadata: Metadata }
  | { readonly type: 'error'; readonly errorText: string }

export type Metadata = Readonly<Record<string, string>>

/** A message that is there already, as the stream that made it. */
export function chunksOfMessage({ id, parts }: UiMessage, metadata: { start: Metadata; finish: Metadata }): UiChunk[] {
  const chunks: UiChunk[] = [{ type: 'start', messageId: id, messageMetadata: metadata.start }]
  let stepping = false
  for (const [index, part] of parts.entries()) {
    if (part.type === 'step-start') {
      if (stepping) chunks.push({ type: 'finish-step' })
      chunks.push({ type: 'start-step' })
      stepping = true
    } else if (part.type === 'text') {
      const text = { id: `${index}` }
      chunks.push({ type: 'text-start', ...text }, { type: 'text-delta', ...text, delta: part.text })
      chunks.push({ type: 'text-end', ...text })
    } else if (isTool(part)) {
      const { toolCallId, input } = part
      const toolName = nameOf(part)
      chunks.push({ type: 'tool-input-start', toolCallId, toolName })
      chunks.push({ type: 'tool-input-available', toolCallId, toolName, input }, ...endOfCall(part))
    } else {
      chunks.push(part)
    }
  }
  if (stepping) chunks.push({ type: 'finish-step' })
  return [...chunks, { type: 'finish', messageMetadata: metadata.finish }]
}

/** What becomes of a call that a client knows. */
export function endOfCall(part: UiToolPart): UiChunk[] {
  const { toolCallId } = part
  switch (part.state) {
    case 'input-available':
      return []
    case 'output-available':
      return [{ type: 'tool-output-available', toolCallId, output: part.output }]
    case 'output-error':
      return [{ type: 'tool-output-error', toolCallId, errorText: part.errorText }]
    case 'approval-requested':
      return [{ type: 'tool-approval-request', approvalId: part.approval.id, toolCallId }]
    case 'output-denied':
      // Pages show whose approval was refused: without a request a client would have none to show.
      return [
        { type: 'tool-approval-request', approvalId: part.approval.id, toolCallId },
        { type: 'tool-output-denied', toolCallId },
      ]
  }
}

/** Calls that a client knows, and the questions beside them, when their run begins to wait. */
export function waitingChunks(before: readonly UiToolPart[], waiting: readonly UiPart[]): UiChunk[] {
  const shown = new Map(before.map(({ toolCallId, input }) => [toolCallId, wireText(input)]))
  return waiting.flatMap((part): UiChunk[] => {
    if (!isTool(part)) return isData(part) ? [part] : []
    const { toolCallId, input } = part
    const same = shown.get(toolCallId) === wireText(input)
    const edited: UiChunk = { type: 'tool-input-available', toolCallId, toolName: nameOf(part), input }
    return [...(same ? [] : [edited]), ...endOfCall(part)]
  })
}

/** A stream never just stops: clients would take what they have for the whole answer. */
export function failureChunks(error: unknown): UiChunk[] {
  const { code, detail } = problemOf(error)
  return [
    { type: 'message-metadata', messageMetadata: { errorCode: code } },
    { type: 'error', errorText: detail },
  ]
}

function isTool(part: UiPart): part is UiToolPart {
  return 'toolCallId' in part
}

function isData(part: UiPart): part is UiDataPart {
  return part.type.startsWith('data-')
}

function nameOf({ type }: UiToolPart): string {
  return type.slice('tool-'.length)
}
