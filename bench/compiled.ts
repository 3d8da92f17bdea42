// A graph of a measurement, compiled as the Worker compiles its own: on the real clients, with the cache and the store.
import { openaiModel } from '../src/adapters/openai/index.ts'
import type { CompiledGraph, CompileOptions } from '../src/index.ts'
import type { Stack } from './stack.ts'

interface Uncompiled {
  compile(options: CompileOptions): CompiledGraph
}

export function compiledOn(
  { checkpointer, cache, store, settings }: Stack,
  graph: Uncompiled,
  options: CompileOptions = {},
): CompiledGraph {
  const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseUrl, OPENAI_MODEL: name } = settings
  const model = openaiModel({ apiKey, baseUrl, model: name })
  return graph.compile({ checkpointer, store, model, name: 'bench', ...(cache && { cache }), ...options })
}
