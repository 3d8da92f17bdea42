// A request as the script reads it: who said what, what was recalled, what was asked last.
import type { ChatMessage, ChatRequest, ChatTool } from './request.ts'

export interface Conversation {
  /** The last user message. */
  asked: string
  /** Every user message, oldest first, the last one included. */
  said: readonly string[]
  /** System and developer messages, and recalled blocks in user messages. */
  told: readonly string[]
  /** What came after the last user message: tool calls and their results. */
  since: readonly ChatMessage[]
  /** Nothing has been answered in words yet. */
  isNew: boolean
  /** None when `tool_choice` is `none`. */
  tools: readonly ChatTool['function'][]
}

/** Recalled memories travel in a user message, between tags; that part is not the user speaking. */
const recalledBlock = /<([\w-]*(?:recall|memor)[\w-]*)\b[^>]*>([\s\S]*?)<\/\1>/gi

export function conversationOf({ messages, tools = [], tool_choice }: ChatRequest): Conversation {
  const said: string[] = []
  const told: string[] = []
  let since: ChatMessage[] = []
  let isNew = true
  for (const message of messages) {
    const text = textOf(message)
    if (message.role === 'system' || message.role === 'developer') told.push(text)
    else if (message.role === 'user') {
      told.push(...Array.from(text.matchAll(recalledBlock), ([, , recalled = '']) => recalled))
      const spoken = text.replace(recalledBlock, '').trim()
      if (spoken === '' && text !== '') continue
      said.push(spoken)
      since = []
    } else {
      since.push(message)
      if (message.role === 'assistant' && text !== '') isNew = false
    }
  }
  return {
    asked: said.at(-1) ?? '',
    said,
    told,
    since,
    isNew,
    tools: tool_choice === 'none' ? [] : tools.map((tool) => tool.function),
  }
}

export function textOf({ content }: ChatMessage): string {
  if (typeof content === 'string') return content
  return content?.map(({ text = '' }) => text).join('') ?? ''
}
