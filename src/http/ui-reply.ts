// A reply of a model as the page has seen it so far.
import type { UiChunk } from './ui-chunks.ts'
import { inputOf } from './ui-messages.ts'

export interface Reply {
  readonly id: string
  readonly step: number
  readonly node: string
  /** Places of its parts in the message. */
  readonly parts: number[]
  readonly calls: Map<number, StreamedCall>
  text: string
  speaking: boolean
  /** `kept`: it is a message of the thread. */
  fate: 'open' | 'kept' | 'withdrawn'
}

export interface StreamedCall {
  readonly id: string
  readonly name: string
  /** The arguments, as far as they have come. */
  text: string
}

export function newReply(id: string, { step, node }: { readonly step: number; readonly node: string }): Reply {
  return { id, step, node, parts: [], calls: new Map(), text: '', speaking: false, fate: 'open' }
}

export function silenced(reply: Reply): UiChunk[] {
  if (!reply.speaking) return []
  reply.speaking = false
  return [{ type: 'text-end', id: reply.id }]
}

export function finished(reply: Reply | undefined): UiChunk[] {
  if (reply === undefined) return []
  const called = [...reply.calls.values()].map(
    ({ id, name, text }): UiChunk => ({
      type: 'tool-input-available',
      toolCallId: id,
      toolName: name,
      input: inputOf(text),
    }),
  )
  return [...silenced(reply), ...called]
}
