// Models that speak the language of OpenAI.
export { type OpenAiOptions, openaiModel } from './model.ts'
