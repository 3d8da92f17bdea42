// Which tools the last user message asks for: by name, or in the words of a support desk.
import { filledArguments, spokenArguments } from './arguments.ts'
import type { Conversation } from './conversation.ts'
import { orderOf } from './facts.ts'
import type { ChatTool } from './request.ts'

export interface AskedCall {
  name: string
  /** JSON, unless the user asked for something else. */
  arguments: string
}

type Tool = ChatTool['function']

/** One list for each answer of the model: the calls in a list are asked for together. */
export function callsAsked(conversation: Conversation): AskedCall[][] {
  if (conversation.tools.length === 0) return []
  const named = callsNamed(conversation)
  if (named.length > 0) return named
  for (const { words, tool, given } of errands) {
    const match = words.exec(conversation.asked)
    const fitting = match === null ? undefined : conversation.tools.find(tool)
    if (match === null || fitting === undefined) continue
    const filled = filledArguments(fitting.parameters, given(match, conversation))
    return [[{ name: fitting.name, arguments: JSON.stringify(filled) }]]
  }
  return []
}

/** The call that `tool_choice` forces, with whatever arguments the user's words hold. */
export function callForced(tool: Tool, { asked }: Conversation): AskedCall {
  return callOf(tool, asked)
}

/** A word that introduces a tool, then its name, or "the … tool". */
const mention =
  /(?:\b(?:call|use|run|invoke|and|then)\b|,)((?:\s+(?:call|use|run|invoke|and|then|the)\b)*)\s+((?:(?!(?:and|then)\b)[\w-]+\s+){1,3}?tool\b|[\w-]+)/gi

function callsNamed({ asked, tools }: Conversation): AskedCall[][] {
  const missing = /\btool that does not exist:?\s+([\w-]+)/i.exec(asked)
  if (missing?.[1] !== undefined) return [[{ name: missing[1], arguments: jsonIn(asked) ?? '{}' }]]

  const found = Array.from(withoutJson(asked).matchAll(mention), (match) => {
    const [whole, , phrase = ''] = match
    const tool = toolNamed(phrase, tools)
    if (tool === undefined) return []
    const consumed = phrase.toLowerCase().startsWith(tool.name.toLowerCase()) ? tool.name.length : phrase.length
    const start = match.index
    return [{ tool, lead: whole.slice(0, -phrase.length), start, end: start + whole.length - phrase.length + consumed }]
  }).flat()
  const [first] = found
  if (first === undefined || !/\b(?:call|use|run|invoke)\b/i.test(asked.slice(0, first.end))) return []

  const rounds: AskedCall[][] = [[]]
  for (const [index, { tool, lead, end }] of found.entries()) {
    if (index > 0 && /\bthen\b/i.test(lead)) rounds.push([])
    rounds.at(-1)?.push(callOf(tool, asked.slice(end, found[index + 1]?.start)))
  }
  return rounds
}

function callOf({ name, parameters }: Tool, words: string): AskedCall {
  if (/\bwith bad json\b/i.test(words)) return { name, arguments: '{"order": "A1", ' }
  return { name, arguments: jsonIn(words) ?? JSON.stringify(spokenArguments(words, parameters)) }
}

function toolNamed(phrase: string, tools: readonly Tool[]): Tool | undefined {
  const words = phrase.toLowerCase().split(/\s+/)
  const exact = tools.find(({ name }) => name.toLowerCase() === words[0])
  if (exact !== undefined || words.at(-1) !== 'tool') return exact
  return tools.find(({ name }) => words.slice(0, -1).every((word) => wordsOf(name).includes(word)))
}

/** `lookupOrder`, `lookup_order` and `lookup-order` are the same words. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[\s_-]+/)
}

interface Errand {
  words: RegExp
  tool(tool: Tool): boolean
  given(match: RegExpExecArray, conversation: Conversation): (property: string) => unknown
}

const lookingUp = ['lookup', 'look', 'get', 'find', 'fetch', 'track', 'status', 'show', 'check']

const errands: readonly Errand[] = [
  {
    words: /\b(?:where(?: is|['’]s)|look ?up|find|track|status of)\b.*\border\b/i,
    tool: ({ name }) =>
      name.toLowerCase().includes('order') &&
      wordsOf(name).some((word) => lookingUp.some((verb) => word.startsWith(verb))),
    given: (_, conversation) => orderIn(conversation),
  },
  {
    words: /^(?:please |(?:can|could) you |i want to )*refund\b(.*)$/is,
    tool: ({ name }) => name.toLowerCase().includes('refund'),
    given: ([, words = ''], conversation) => {
      const order = orderIn(conversation)
      const cents = centsIn(words)
      return (property) => {
        if (cents !== undefined && /cents/i.test(property)) return cents
        if (cents !== undefined && /amount|price|total|sum/i.test(property)) return cents / 100
        return order(property)
      }
    },
  },
  {
    words: /^(?:please )?remember(?: that)?:? (.+)$/is,
    tool: ({ name }) => wordsOf(name).includes('remember'),
    given:
      ([, fact]) =>
      (property) =>
        /text|fact|content|memory|note/i.test(property) ? fact : undefined,
  },
]

const orderNumber = /\border\s+#?([a-z-]*\d[\w-]*)/i

function orderIn(conversation: Conversation): (property: string) => unknown {
  const order = orderNumber.exec(conversation.asked)?.[1] ?? orderOf(conversation)
  return (property) => (/order|^id$/i.test(property) ? order : undefined)
}

/** "12.50" and "$12.50" are 1,250; so is "1250 cents". */
function centsIn(words: string): number | undefined {
  const amount = /(?<![\w.])[$€£]?(\d+(?:\.\d{1,2})?)(\s*cents?\b)?(?![\w-])/i.exec(words.replace(orderNumber, ' '))
  if (amount === null) return undefined
  return amount[2] === undefined ? Math.round(Number(amount[1]) * 100) : Number(amount[1])
}

function jsonIn(text: string): string | undefined {
  const [span] = jsonSpans(text)
  return span === undefined ? undefined : text.slice(span.start, span.end)
}

/** Same length, so that positions hold: names inside a JSON argument are not tools asked for. */
function withoutJson(text: string): string {
  return jsonSpans(text).reduce(
    (masked, { start, end }) => masked.slice(0, start) + '.'.repeat(end - start) + masked.slice(end),
    text,
  )
}

/** The outermost `{…}` that are JSON. */
function jsonSpans(text: string): { start: number; end: number }[] {
  const spans = []
  let depth = 0
  let start = 0
  // A whole string, or one character: braces inside strings do not count.
  for (const { 0: piece, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (piece === '{' && depth++ === 0) start = index
    if (piece !== '}' || depth === 0 || --depth > 0) continue
    if (isJson(text.slice(start, index + 1))) spans.push({ start, end: index + 1 })
  }
  return spans
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
