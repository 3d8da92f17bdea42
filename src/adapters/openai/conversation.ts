// A thread's messages as chat completions take them.
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import type { Message, ToolMessage } from '../../ports/model.ts'

/**
 * Every tool call is followed by its answer, or the service refuses the conversation: a call that a failed or cancelled run
 * left open is answered with that. An answer to no call is left out.
 */
export function conversationOf(messages: readonly Message[]): ChatCompletionMessageParam[] {
  const answers = new Map<string, ToolMessage>()
  for (const message of messages) if (message.role === 'tool') answers.set(message.toolCallId, message)
  return messages.flatMap((message) => paramsOf(message, answers))
}

function paramsOf(message: Message, answers: ReadonlyMap<string, ToolMessage>): ChatCompletionMessageParam[] {
  const { role, content } = message
  if (role === 'tool') return []
  if (role !== 'assistant') return [{ role, content }]
  const { toolCalls = [] } = message
  if (toolCalls.length === 0) return [{ role, content }]
  const calls = toolCalls.map(({ id, name, arguments: text }) => ({
    id,
    type: 'function' as const,
    function: { name, arguments: text },
  }))
  return [
    { role, content: content === '' ? null : content, tool_calls: calls },
    ...toolCalls.map(({ id }) => ({
      role: 'tool' as const,
      tool_call_id: id,
      content: answers.get(id)?.content ?? unanswered,
    })),
  ]
}

const unanswered = 'This call was not answered: the run ended before.'
