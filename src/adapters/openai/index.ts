// Models that speak the language of OpenAI.
export type { Embedder } from '../../ports/embedder.ts'
export type { Model } from '../../ports/model.ts'
export { type OpenAiEmbedderOptions, openaiEmbedder } from './embedder.ts'
export { checkOpenAi } from './health.ts'
export { type OpenAiOptions, openaiModel } from './model.ts'
