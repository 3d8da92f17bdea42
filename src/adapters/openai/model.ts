// Chat completions of OpenAI, and of every service that speaks like it.
import OpenAI from 'openai'
import type { ChatCompletionChunk } from 'openai/resources/chat/completions'
import type { FinishReason, Model, ModelPart, ModelRequest, Usage } from '../../ports/model.ts'
import { conversationOf } from './conversation.ts'
import { failureOf } from './failure.ts'

export interface OpenAiOptions {
  readonly apiKey: string
  readonly model: string
  /** Any compatible service, with its version: `https://api.openai.com/v1`, OpenAI's own, unless told otherwise. */
  readonly baseUrl?: string
  /** Tries again before the first byte of an answer, never after. 2 unless told otherwise. */
  readonly retries?: number
  /** In the place of the global one. */
  readonly fetch?: typeof fetch
}

/** `openaiModel({ apiKey, model: 'gpt-5-mini' })`. Streams always. Safe at module scope. */
export function openaiModel({ apiKey, model, baseUrl, retries = 2, fetch }: OpenAiOptions): Model {
  const client = new OpenAI({
    apiKey,
    maxRetries: retries,
    ...(baseUrl !== undefined && { baseURL: baseUrl }),
    ...(fetch !== undefined && { fetch }),
  })
  return { stream: (request) => completion(client, model, request) }
}

async function* completion(client: OpenAI, model: string, request: ModelRequest): AsyncGenerator<ModelPart> {
  const { messages, tools, signal, temperature, maxOutputTokens } = request
  try {
    const stream = await client.chat.completions.create(
      {
        model,
        messages: conversationOf(messages),
        stream: true,
        stream_options: { include_usage: true },
        ...(temperature !== undefined && { temperature }),
        ...(maxOutputTokens !== undefined && { max_completion_tokens: maxOutputTokens }),
        ...(tools.length > 0 && {
          tools: tools.map(({ name, description, parameters }) => ({
            type: 'function' as const,
            function: { name, description, parameters },
          })),
        }),
      },
      { signal },
    )
    yield* partsOf(stream, model)
    // The client ends an aborted stream as if it were whole.
    signal.throwIfAborted()
  } catch (error) {
    throw signal.aborted ? signal.reason : failureOf(error)
  }
}

/** The end is told when the stream is at its end: usage comes after the finish reason. */
async function* partsOf(stream: AsyncIterable<ChatCompletionChunk>, asked: string): AsyncGenerator<ModelPart> {
  let reason: FinishReason | undefined
  let usage: Usage | undefined
  let model = asked
  const begun = new Set<number>()
  for await (const chunk of stream) {
    model = chunk.model || model
    if (chunk.usage) usage = { inputTokens: chunk.usage.prompt_tokens, outputTokens: chunk.usage.completion_tokens }
    const choice = chunk.choices[0]
    if (choice === undefined) continue
    if (choice.delta.content) yield { type: 'text-delta', text: choice.delta.content }
    for (const { index, id, function: called } of choice.delta.tool_calls ?? []) {
      if (!begun.has(index)) {
        begun.add(index)
        yield { type: 'tool-call-start', index, id: id ?? `call-${index}`, name: called?.name ?? '' }
      }
      if (called?.arguments) yield { type: 'tool-call-delta', index, text: called.arguments }
    }
    if (choice.finish_reason) reason = finishReasons[choice.finish_reason] ?? 'other'
  }
  if (reason !== undefined) yield { type: 'finish', reason, model, usage }
}

const finishReasons: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'content-filter',
}
