// Conversations for tests: of every shape a thread may have, with calls of tools that are parallel, unanswered, late or interleaved.
import type { AssistantMessage, Message, ToolCall, ToolMessage } from '../../src/ports/model.ts'
import type { Random } from '../kernel/random.ts'

/** `turns` questions and answers; the texts have `characters` each. */
export function plainConversation(turns: number, characters = 20): Message[] {
  return Array.from({ length: turns }, (_, turn): Message[] => [
    { id: `u${turn}`, role: 'user', content: `question ${turn} `.padEnd(characters, 'x') },
    { id: `a${turn}`, role: 'assistant', content: `answer ${turn} `.padEnd(characters, 'y') },
  ]).flat()
}

export function calling(id: string, ...calls: string[]): AssistantMessage {
  const toolCalls = calls.map((call): ToolCall => ({ id: call, name: 'look', arguments: '{}' }))
  return { id, role: 'assistant', content: '', toolCalls }
}

export function answering(toolCallId: string, content = 'found'): ToolMessage {
  return { id: `t-${toolCallId}`, role: 'tool', name: 'look', toolCallId, content, status: 'success' }
}

/** Ids of calls are often the same in several turns: some services number them by place. */
export function randomConversation(random: Random): Message[] {
  const messages: Message[] = []
  const text = () => 'word '.repeat(random.int(30))
  let made = 0
  const id = () => `m${made++}`
  const say = (role: 'user' | 'assistant' | 'system') => messages.push({ id: id(), role, content: text() })
  for (let count = random.int(3); count > 0; count--) say('system')
  if (random.chance(0.2)) say('assistant')
  for (let turns = random.int(12); turns > 0; turns--) {
    for (let count = 1 + random.int(random.chance(0.2) ? 3 : 1); count > 0; count--) say('user')
    if (random.chance(0.1)) say('system')
    for (let rounds = random.int(4); rounds > 0; rounds--) messages.push(...round(random, id, text))
    if (random.chance(0.8)) say('assistant')
  }
  if (random.chance(0.7)) say('user')
  return messages
}

function round(random: Random, id: () => string, text: () => string): Message[] {
  const numbered = random.chance(0.2)
  const callers = Array.from({ length: random.chance(0.2) ? 2 : 1 }, (_, caller) => {
    const calls = Array.from({ length: 1 + random.int(3) }, (_, index) =>
      numbered ? `call-${caller}-${index}` : `call-${id()}`,
    )
    return { ...calling(id(), ...calls), content: random.chance(0.5) ? text() : '' }
  })
  const answers = callers
    .flatMap(({ toolCalls = [] }) => toolCalls)
    .filter(() => random.chance(0.85))
    .map((call) => ({ ...answering(call.id, text()), id: id() }))
  if (random.chance(0.3)) answers.reverse()
  // A person who does not wait for the answer.
  const between: Message[] = random.chance(0.1) ? [{ id: id(), role: 'user', content: text() }] : []
  return [...callers, ...between, ...answers]
}

/** What OpenAI asks for: each call answered right behind it, no answer without a call. Gives what is wrong. */
export function refusedByOpenAi(
  messages: readonly {
    role: string
    tool_call_id?: string
    tool_calls?: readonly { id: string }[]
  }[],
): string[] {
  const wrong: string[] = []
  let open = new Set<string>()
  for (const { role, tool_call_id: answered = '', tool_calls: calls = [] } of messages) {
    if (role === 'tool') {
      if (!open.delete(answered)) wrong.push(`an answer to ${answered}, which nobody called`)
      continue
    }
    if (open.size > 0) wrong.push(`${[...open].join()} unanswered before a message of ${role}`)
    open = new Set(calls.map(({ id }) => id))
  }
  if (open.size > 0) wrong.push(`${[...open].join()} unanswered at the end`)
  return wrong
}
