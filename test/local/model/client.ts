// What a client of the scripted model works with in these tests.
import OpenAI, { APIError } from 'openai'
import type { ChatCompletionChunk, ChatCompletionFunctionTool, ChatCompletionMessageParam } from 'openai/resources'
import { type ScriptedModelOptions, scriptedModel } from '../../../local/model/server.ts'
import type { StandIn } from '../../../local/stand-in.ts'

export const model = 'scripted-1'

export function user(content: string): ChatCompletionMessageParam {
  return { role: 'user', content }
}

export const refund = {
  type: 'function',
  function: {
    name: 'refund',
    parameters: {
      type: 'object',
      properties: { order: { type: 'string' }, cents: { type: 'integer' } },
      required: ['order', 'cents'],
    },
  },
} satisfies ChatCompletionFunctionTool

/** The official client, without its retries: each test sees the first reply. */
export function clientOf({ url }: StandIn, apiKey = 'any') {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 })
}

export async function withServer(options: ScriptedModelOptions, use: (server: StandIn) => Promise<void>) {
  const server = await scriptedModel(options)
  try {
    await use(server)
  } finally {
    await server.close()
  }
}

interface Asking {
  client: OpenAI
  tools?: ChatCompletionFunctionTool[]
  usage?: boolean
}

export async function streamed(words: string, { client, tools, usage }: Asking) {
  const chunks: ChatCompletionChunk[] = []
  const stream = await client.chat.completions.create({
    model,
    messages: [user(words)],
    stream: true,
    ...(tools && { tools }),
    ...(usage && { stream_options: { include_usage: true } }),
  })
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

export function textOf(chunks: ChatCompletionChunk[]) {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')
}

export async function errorOf(promise: Promise<unknown>): Promise<APIError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof APIError)) throw new Error(`expected an APIError, got ${String(error)}`)
  return error
}

/** A body that the typed client would not send. */
export async function post({ url }: StandIn, path: string, body: unknown) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(`${url}/v1${path}`, { method: 'POST', body: text })
  return { status: response.status, body: await response.json() }
}
