// Which models the local stack takes in place of its own: those that the machine has what they need for.
import type { ServiceChoices } from './services.ts'

/** Of OpenAI it embeds too; whatever else speaks like it need not, unless a model is named. */
export function realModels(variables: NodeJS.Dict<string>): Pick<ServiceChoices, 'model' | 'embedding'> {
  const { OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL, EMBEDDING_MODEL, EMBEDDING_DIMENSIONS } = variables
  if (!OPENAI_API_KEY && !OPENAI_BASE_URL) return {}
  const model = {
    OPENAI_API_KEY: OPENAI_API_KEY || 'none',
    ...(OPENAI_BASE_URL && { OPENAI_BASE_URL }),
    ...(OPENAI_MODEL && { OPENAI_MODEL }),
  }
  const embeds = EMBEDDING_MODEL || (OPENAI_BASE_URL ? undefined : 'text-embedding-3-small')
  if (embeds === undefined) return { model }
  return { model, embedding: { model: embeds, dimensions: Number(EMBEDDING_DIMENSIONS || 1_536) } }
}
