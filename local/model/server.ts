// An OpenAI-compatible model server on loopback, scripted (`script.ts`): what `npm run dev` uses when no model key is set.
import { once } from 'node:events'
import { json, type Knobs, type StandIn, standIn, type WireReply, type WireRequest } from '../stand-in.ts'
import { ApiError } from './api-error.ts'
import { completion } from './completion.ts'
import { embeddings } from './embedding.ts'
import { chatModel, embeddingModel, modelMissing, parseChatRequest, parseEmbeddingRequest } from './request.ts'
import { reply } from './script.ts'

export interface ScriptedModelOptions {
  /** 0 picks a free one. */
  port?: number
  /** Where set, callers must send it; else any key will do. */
  apiKey?: string
  knobs?: Partial<Knobs>
  /** Between the chunks of a stream. */
  chunkDelayMs?: number
}

/** The base URL for a client is the stand-in's `url` with `/v1`. */
export function scriptedModel({ port, apiKey, knobs, chunkDelayMs = 5 }: ScriptedModelOptions = {}): Promise<StandIn> {
  return standIn({
    name: 'model',
    ...(port !== undefined && { port }),
    ...(knobs !== undefined && { knobs }),
    handle: async (request) => {
      const operations = operationsOf(request)
      try {
        if (apiKey !== undefined && request.headers.authorization !== `Bearer ${apiKey}`) throw wrongKey()
        return await route(request, { operations, chunkDelayMs })
      } catch (error) {
        if (error instanceof ApiError) return error.reply(operations)
        throw error
      }
    },
  })
}

interface Routing {
  operations: readonly string[]
  chunkDelayMs: number
}

async function route(request: WireRequest, { operations, chunkDelayMs }: Routing): Promise<WireReply> {
  const { method, path, body } = request
  switch (`${method} ${path}`) {
    case 'POST /v1/chat/completions':
      return chat(request, chunkDelayMs)
    case 'POST /v1/embeddings':
      return json(embeddings(parseEmbeddingRequest(body)), 200, operations)
    case 'GET /v1/models':
      return json({ object: 'list', data: [chatModel, embeddingModel].map(modelCard) }, 200, operations)
  }
  const model = method === 'GET' ? /^\/v1\/models\/([^/]+)$/.exec(path)?.[1] : undefined
  if (model === undefined) {
    throw new ApiError({ status: 404, message: `There is no route ${method} ${path}.`, code: 'unknown_url' })
  }
  if (model !== chatModel && model !== embeddingModel) throw modelMissing(model)
  return json(modelCard(model), 200, operations)
}

async function chat({ body, signal }: WireRequest, chunkDelayMs: number): Promise<WireReply> {
  const request = parseChatRequest(body)
  const scripted = reply(request)
  if (scripted.kind === 'refusal') throw scripted.error
  if (scripted.kind === 'silence') {
    await once(signal, 'abort')
    // 499, the caller went away: nobody reads it, but the log does.
    return { status: 499, body: '', operations: ['chat'] }
  }
  return completion({ request, reply: scripted, chunkDelayMs, signal })
}

function operationsOf({ path }: WireRequest): readonly string[] {
  if (path === '/v1/chat/completions') return ['chat']
  if (path === '/v1/embeddings') return ['embeddings']
  return /^\/v1\/models(?:\/|$)/.test(path) ? ['models'] : []
}

function modelCard(id: string) {
  return { id, object: 'model', created: 0, owned_by: 'scripted' }
}

function wrongKey(): ApiError {
  return new ApiError({ status: 401, message: 'Incorrect API key provided.', code: 'invalid_api_key' })
}
