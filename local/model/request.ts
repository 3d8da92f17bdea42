// What a caller may send: the part of OpenAI's request bodies that the script reads. Other fields are ignored.
// As strict as the real API where a mistake there would be a 400, so that it is found before the real API is paid.
import { z } from 'zod'
import { ApiError } from './api-error.ts'

export const chatModel = 'scripted-1'
export const embeddingModel = 'scripted-embedding-1'

const content = z.union([z.string(), z.array(z.object({ type: z.string(), text: z.string().optional() }))])

const toolCall = z.object({
  id: z.string(),
  type: z.literal('function'),
  function: z.object({ name: z.string(), arguments: z.string() }),
})

const message = z.discriminatedUnion('role', [
  z.object({ role: z.enum(['system', 'developer', 'user']), content }),
  z
    .object({
      role: z.literal('assistant'),
      content: content.nullish(),
      tool_calls: z.array(toolCall).min(1).optional(),
    })
    .refine(({ content, tool_calls }) => content != null || tool_calls !== undefined, {
      path: ['content'],
      message: 'expected a string where there are no tool_calls',
    }),
  z.object({ role: z.literal('tool'), content, tool_call_id: z.string() }),
])

const tool = z.object({
  type: z.literal('function'),
  function: z.object({
    name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
    description: z.string().optional(),
    parameters: z.record(z.string(), z.unknown()).optional(),
  }),
})

const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) }),
])

const chatRequest = z
  .object({
    model: z.string(),
    messages: z.array(message).min(1),
    n: z.literal(1).nullish(),
    stream: z.boolean().nullish(),
    stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
    tools: z.array(tool).min(1).optional(),
    tool_choice: toolChoice.optional(),
    parallel_tool_calls: z.boolean().optional(),
  })
  .superRefine((body, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    if (body.stream_options && !body.stream) refuse('stream_options', 'only allowed when stream is enabled')
    if (body.tools === undefined) {
      if (body.tool_choice !== undefined) refuse('tool_choice', 'only allowed when tools are specified')
      if (body.parallel_tool_calls !== undefined) refuse('parallel_tool_calls', 'only allowed when tools are specified')
    } else if (typeof body.tool_choice === 'object') {
      const { name } = body.tool_choice.function
      if (!body.tools.some((tool) => tool.function.name === name)) refuse('tool_choice', `no tool named '${name}'`)
    }
    const unpaired = unpairedToolCall(body.messages)
    if (unpaired !== undefined) refuse('messages', unpaired)
  })

const embeddingRequest = z.object({
  model: z.string(),
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(2048)]),
  dimensions: z.int().min(1).max(3072).optional(),
  encoding_format: z.enum(['float', 'base64']).optional(),
})

export type ChatRequest = z.infer<typeof chatRequest>
export type ChatMessage = ChatRequest['messages'][number]
export type ChatTool = z.infer<typeof tool>
export type EmbeddingRequest = z.infer<typeof embeddingRequest>

export function parseChatRequest(body: Buffer): ChatRequest {
  const request = parse(body, chatRequest)
  requireModel(request.model, chatModel)
  return request
}

export function parseEmbeddingRequest(body: Buffer): EmbeddingRequest {
  const request = parse(body, embeddingRequest)
  requireModel(request.model, embeddingModel)
  return request
}

export function modelMissing(model: string): ApiError {
  return new ApiError({
    status: 404,
    message: `The model '${model}' does not exist here; there are '${chatModel}' and '${embeddingModel}'.`,
    code: 'model_not_found',
  })
}

function requireModel(asked: string, served: string) {
  if (asked !== served) throw modelMissing(asked)
}

/** Every call needs its answer before anything else is said, and every answer its call: else the real API refuses. */
function unpairedToolCall(messages: readonly ChatMessage[]): string | undefined {
  let open: string[] = []
  for (const [index, message] of messages.entries()) {
    if (message.role === 'tool') {
      const { tool_call_id } = message
      if (!open.includes(tool_call_id)) return `messages[${index}] answers no preceding tool call: '${tool_call_id}'`
      open = open.filter((id) => id !== tool_call_id)
    } else if (open.length > 0) {
      break
    } else if (message.role === 'assistant') {
      open = message.tool_calls?.map(({ id }) => id) ?? []
    }
  }
  return open.length > 0 ? `these tool calls have no tool message after them: ${open.join(', ')}` : undefined
}

function parse<T>(body: Buffer, schema: z.ZodType<T>): T {
  const value = parseJson(body)
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = issue?.path ?? []
  const param = path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    return text === '' ? String(key) : `${text}.${String(key)}`
  }, '')
  if (param === '') throw new ApiError({ status: 400, message: 'The body must be a JSON object.' })
  throw isMissing(value, path)
    ? new ApiError({
        status: 400,
        message: `Missing required parameter: '${param}'.`,
        param,
        code: 'missing_required_parameter',
      })
    : new ApiError({ status: 400, message: `Invalid '${param}': ${issue?.message}.`, param, code: 'invalid_value' })
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    throw new ApiError({ status: 400, message: 'The JSON body of the request could not be parsed.' })
  }
}

function isMissing(body: unknown, path: readonly PropertyKey[]): boolean {
  let value = body
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return true
    value = Reflect.get(value, key)
  }
  return value === undefined
}
