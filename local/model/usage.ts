// Token counts. An ESTIMATE, four characters a token: there is no tokenizer here.
import type { ChatRequest } from './request.ts'
import type { ScriptedReply } from './script.ts'

export function estimatedTokens(text: string): number {
  return Math.ceil(text.length / 4)
}

export function estimatedUsage({ messages, tools }: ChatRequest, reply: ScriptedReply) {
  const prompt_tokens = estimatedTokens(JSON.stringify([messages, tools]))
  const completion_tokens = estimatedTokens(writtenIn(reply))
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
}

function writtenIn(reply: ScriptedReply): string {
  if (reply.kind === 'answer') return reply.text
  return reply.kind === 'calls' ? JSON.stringify(reply.calls) : ''
}
