// The newest part of a conversation, cut where it may be cut. Only what is in it is looked at: a long thread costs nothing.
import type { Message } from '../ports/model.ts'
import type { TokensOf } from './token-count.ts'

/** How much of a conversation fits: both hold where both are given. */
export interface Limits {
  /** One begins where the person speaks after somebody else did. */
  readonly turns?: number
  readonly tokens?: number
}

export interface Cut {
  /** Place of the first message: a turn begins there, or everything does. */
  readonly from: number
  /** Left out of the last turn, half open: what lies between the question and its newest rounds of tools. */
  readonly gap: readonly [number, number]
}

/** Whether the person speaks here after somebody else did. */
export function startsTurn(messages: readonly Message[], index: number): boolean {
  return messages[index]?.role === 'user' && messages[index - 1]?.role !== 'user'
}

/** Instructions at the head of the thread. They stay in view. */
export function headOf(messages: readonly Message[]): number {
  const head = messages.findIndex(({ role }) => role !== 'system')
  return head < 0 ? messages.length : head
}

/**
 * Whole turns from the end on, none before `floor`, as many as fit. A last turn that does not fit alone is cut inside: its question
 * stays, and as many of its newest rounds of tools as fit, one at least.
 */
export async function cutOf(
  messages: readonly Message[],
  floor: number,
  limits: Limits,
  tokensOf: TokensOf,
): Promise<Cut> {
  const { turns = Number.POSITIVE_INFINITY, tokens } = limits
  let from = messages.length
  let used = 0
  let kept = 0
  for (let index = messages.length - 1; index >= floor; index--) {
    const message = messages[index]
    if (tokens !== undefined && message !== undefined) used += await tokensOf(message)
    if (used > (tokens ?? 0)) break
    if (startsTurn(messages, index)) kept++
    else if (index > floor) continue
    from = index
    if (kept === turns) break
  }
  if (from < messages.length || tokens === undefined || floor >= messages.length) return { from, gap: [from, from] }
  return cutInside(messages, floor, tokens, tokensOf)
}

async function cutInside(
  messages: readonly Message[],
  floor: number,
  tokens: number,
  tokensOf: TokensOf,
): Promise<Cut> {
  let from = messages.length - 1
  while (from > floor && !startsTurn(messages, from)) from--
  let left = tokens
  let asked = from
  for (let message = messages[asked]; message?.role === 'user'; message = messages[asked]) {
    left -= await tokensOf(message)
    asked++
  }
  let round = messages.length
  for (let index = messages.length - 1; index >= asked; index--) {
    const message = messages[index]
    if (message !== undefined) left -= await tokensOf(message)
    if (left < 0 && round < messages.length) break
    if (message?.role === 'assistant') round = index
  }
  return { from, gap: round < messages.length ? [asked, round] : [asked, asked] }
}

/** What a cut leaves, with the instructions at the head; an answer whose call is cut off goes with it. */
export function cutView(messages: readonly Message[], { from, gap }: Cut): readonly Message[] {
  const head = headOf(messages)
  if (from <= head && gap[0] === gap[1]) return messages
  const called = new Set<string>()
  return [...messages.slice(0, head), ...messages.slice(from, gap[0]), ...messages.slice(gap[1])].filter((message) => {
    if (message.role === 'assistant') for (const { id } of message.toolCalls ?? []) called.add(id)
    return message.role !== 'tool' || called.has(message.toolCallId)
  })
}
