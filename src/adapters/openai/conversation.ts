// A thread's messages as chat completions take them.
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import type { Message } from '../../ports/model.ts'

/**
 * Every tool call is followed by its answer, or the service refuses the conversation: a call that a failed or cancelled run
 * left open is answered with that. An answer to no call is left out.
 */
export function conversationOf(messages: readonly Message[]): ChatCompletionMessageParam[] {
  // From the end: an answer is to the nearest call of its id before it, for some services name every reply's calls alike.
  const answers = new Map<string, string>()
  return messages
    .toReversed()
    .map((message) => paramsOf(message, answers))
    .toReversed()
    .flat()
}

/** Takes from `answers` what its calls were answered, and adds what is an answer. */
function paramsOf(message: Message, answers: Map<string, string>): ChatCompletionMessageParam[] {
  const { role, content } = message
  if (role === 'tool') {
    if (!answers.has(message.toolCallId)) answers.set(message.toolCallId, content)
    return []
  }
  if (role !== 'assistant') return [{ role, content }]
  const { toolCalls = [] } = message
  if (toolCalls.length === 0) return [{ role, content }]
  const calls = toolCalls.map(({ id, name, arguments: text }) => ({
    id,
    type: 'function' as const,
    function: { name, arguments: text },
  }))
  const answered = toolCalls.map(({ id }) => {
    const answer = answers.get(id) ?? unanswered
    answers.delete(id)
    return { role: 'tool' as const, tool_call_id: id, content: answer }
  })
  return [{ role, content: content === '' ? null : content, tool_calls: calls }, ...answered]
}

const unanswered = 'This call was not answered: the run ended before.'
