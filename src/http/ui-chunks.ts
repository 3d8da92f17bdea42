// Chunks of the AI SDK's UI message stream: the part that every client from ai 5.0.0 to ai 7 accepts. An unknown type ends
// the stream in all of them, an unknown key in many, so `finish` has no `finishReason` (clients before November 2025 refuse
// the key; it is in the message's metadata) and arguments that are not JSON are no `tool-input-error` (5.0.0 has none).
import type { UiMessage, UiToolPart } from './ui-messages.ts'

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
  | { readonly type: `data-${string}`; readonly data: unknown }
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
    } else {
      chunks.push(...chunksOfTool(part))
    }
  }
  if (stepping) chunks.push({ type: 'finish-step' })
  return [...chunks, { type: 'finish', messageMetadata: metadata.finish }]
}

function chunksOfTool(part: UiToolPart): UiChunk[] {
  const { toolCallId, input } = part
  const toolName = part.type.slice('tool-'.length)
  const called: UiChunk[] = [
    { type: 'tool-input-start', toolCallId, toolName },
    { type: 'tool-input-available', toolCallId, toolName, input },
  ]
  if (part.state === 'output-error') called.push({ type: 'tool-output-error', toolCallId, errorText: part.errorText })
  if (part.state === 'output-available') called.push({ type: 'tool-output-available', toolCallId, output: part.output })
  return called
}
