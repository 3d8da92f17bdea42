// Models that speak the language of OpenAI.

export { type OpenAiEmbedderOptions, openaiEmbedder } from './embedder.ts'
export { checkOpenAi } from './health.ts'
export { type OpenAiOptions, openaiModel } from './model.ts'
