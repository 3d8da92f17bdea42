// Models that speak the language of OpenAI.

export { checkOpenAi } from './health.ts'
export { type OpenAiOptions, openaiModel } from './model.ts'
