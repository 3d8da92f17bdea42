// Embeddings of OpenAI, and of every service that speaks like it.
import OpenAI from 'openai'
import { RecollectError } from '../../kernel/errors.ts'
import type { Embedder } from '../../ports/embedder.ts'
import { failureOf } from './failure.ts'
import type { OpenAiOptions } from './model.ts'

export interface OpenAiEmbedderOptions extends OpenAiOptions {
  /** Of its vectors. Models of the third generation give as many as are asked for; of others it is what they give. */
  readonly dimensions: number
  /** How long one request may take, in milliseconds. 10,000 unless told otherwise. */
  readonly timeoutMs?: number
}

/** In one request, which the service takes with 300,000 tokens at most. */
const atOnce = 32
/** In UTF-8. A text has 8,191 tokens at most, and no token is less than a byte: what is longer is found by its beginning. */
const mostBytes = 8_000

/** `openaiEmbedder({ apiKey, model: 'text-embedding-3-small', dimensions: 1536 })`. Safe at module scope. */
export function openaiEmbedder(options: OpenAiEmbedderOptions): Embedder {
  const { apiKey, model, baseUrl, retries = 2, fetch, dimensions, timeoutMs = 10_000 } = options
  const client = new OpenAI({
    ...{ apiKey, maxRetries: retries, timeout: timeoutMs },
    ...(baseUrl !== undefined && { baseURL: baseUrl }),
    ...(fetch !== undefined && { fetch }),
  })
  const shortens = model.includes('embedding-3')
  const embedSome = async (input: string[], signal: AbortSignal | undefined) => {
    try {
      const request = { model, input, ...(shortens && { dimensions }) }
      const { data } = await client.embeddings.create(request, signal === undefined ? {} : { signal })
      return data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => embedding)
    } catch (error) {
      throw signal?.aborted ? signal.reason : failureOf(error)
    }
  }
  return {
    model,
    dimensions,
    async embed(texts, { signal } = {}) {
      const vectors: (readonly number[])[] = []
      for (let first = 0; first < texts.length; first += atOnce) {
        const some = texts.slice(first, first + atOnce).map(embeddable)
        vectors.push(...(await embedSome(some, signal)))
      }
      const odd = vectors.find((vector) => vector.length !== dimensions)
      if (odd === undefined && vectors.length === texts.length) return vectors
      throw new RecollectError(
        'model_refused',
        `The embedding model ${model} gave ${odd === undefined ? `${vectors.length} vectors for ${texts.length} texts` : `vectors of ${odd.length} dimensions, and ${dimensions} were expected`}. Set the dimensions that it gives.`,
      )
    },
  }
}

const encoder = new TextEncoder()

/** A text of no words has no place among others; the service refuses it. */
function embeddable(text: string): string {
  const { read } = encoder.encodeInto(text, new Uint8Array(mostBytes))
  const some = text.slice(0, read)
  return some.trim() === '' ? '-' : some
}
