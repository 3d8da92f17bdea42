// How many tokens messages have: by a tokenizer, or by what the model itself counted when it answered last.
import { RecollectError } from '../kernel/errors.ts'
import type { Message } from '../ports/model.ts'

/** Of a text. May load a tokenizer first: `async (text) => (await import('…')).countTokens(text)`. */
export type CountTokens = (text: string) => number | Promise<number>

export type TokensOf = (message: Message) => number | Promise<number>

/** What a provider puts around each message, such as its role. */
const perMessage = { tokens: 4, bytes: 16 }
/** Of English text; other scripts have more bytes a character and more tokens a character. */
const usualBytesPerToken = 4
/** Beyond these a usage says something else: what was cached, or what the provider adds. */
const believable = { least: 0.5, most: 16 }
/** How many of the newest messages are looked through for such an answer. */
const recent = 100

/** In UTF-8: nearer to tokens than characters are, for tokenizers are made of bytes. A lone surrogate counts three. */
export function bytesIn(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    // The two halves of a pair come to four.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1
  }
  return bytes
}

export function bytesOf(message: Message): number {
  return perMessage.bytes + bytesIn(textOf(message))
}

/** By `countTokens`, which throws `graph_invalid` for what is no count; or as many bytes a token as the last answer that noted what it was counted from. */
export function tokensBy(messages: readonly Message[], countTokens: CountTokens | undefined): TokensOf {
  if (countTokens === undefined) return estimateBy(messages)
  return async (message) => {
    const count = await countTokens(textOf(message))
    if (count >= 0) return perMessage.tokens + count
    throw new RecollectError('graph_invalid', `countTokens must give how many tokens a text has, not ${count}.`)
  }
}

export function estimateBy(messages: readonly Message[]): (message: Message) => number {
  const bytesPerToken = measured(messages)
  return (message) => Math.ceil(bytesOf(message) / bytesPerToken)
}

function measured(messages: readonly Message[]): number {
  const latest = messages
    .slice(-recent)
    .findLast((message) => message.role === 'assistant' && message.usage?.inputBytes !== undefined)
  const { inputBytes = 0, inputTokens = 0 } = (latest?.role === 'assistant' && latest.usage) || {}
  if (inputBytes === 0 || inputTokens === 0) return usualBytesPerToken
  return Math.min(Math.max(inputBytes / inputTokens, believable.least), believable.most)
}

function textOf(message: Message): string {
  if (message.role !== 'assistant' || message.toolCalls === undefined) return message.content
  return [message.content, ...message.toolCalls.map(({ name, arguments: text }) => `${name} ${text}`)].join('\n')
}
