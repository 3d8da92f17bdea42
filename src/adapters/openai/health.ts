// Whether the model service answers, without asking a model anything.
import OpenAI from 'openai'
import { failureOf } from './failure.ts'
import type { OpenAiOptions } from './model.ts'

const timeoutMs = 5_000

/** Throws `model_failed` or `model_refused`. A service that does not list its models is up all the same. */
export async function checkOpenAi({ apiKey, baseUrl }: OpenAiOptions): Promise<void> {
  const client = new OpenAI({
    apiKey,
    maxRetries: 0,
    timeout: timeoutMs,
    ...(baseUrl !== undefined && { baseURL: baseUrl }),
  })
  try {
    await client.models.list()
  } catch (error) {
    if (error instanceof OpenAI.NotFoundError) return
    throw failureOf(error)
  }
}
