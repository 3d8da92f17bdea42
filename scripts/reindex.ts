// `npm run reindex`: tells the vector index what it is behind with; with `-- --anew`, or when it is to be made otherwise than before, all of
// it. Stopped, it goes on where it was. Settings are those of the environment, over `.dev.vars`.
import { neon, neonConfig } from '@neondatabase/serverless'
import { reindex } from '../src/memory/reindex.ts'
import { indexPartsOf } from '../workers/compile.ts'
import { settingsOf } from '../workers/env.ts'
import { argumentsOf } from './arguments.ts'
import { variablesFrom } from './variables.ts'

/** Gives how many items the index was told of. */
export async function reindexItems(variables: NodeJS.Dict<string>, anew: boolean): Promise<number> {
  // Tokens and a model are no matter of an index.
  const settings = settingsOf({ AUTH_SECRET: '-'.repeat(32), OPENAI_API_KEY: 'none', ...variables })
  if (settings.NEON_HTTP_ENDPOINT !== undefined) neonConfig.fetchEndpoint = settings.NEON_HTTP_ENDPOINT
  const parts = indexPartsOf(neon(settings.DATABASE_URL), settings)
  if (parts === undefined) throw new Error('UPSTASH_VECTOR_REST_URL is not set: there is no index.')
  const onProgress = ({ done, left, leftMs }: { done: number; left: number; leftMs: number }) => {
    process.stdout.write(`${done} items done, ${left} left, about ${Math.ceil(leftMs / 1_000)} s\n`)
  }
  return reindex({ ...parts, anew, onProgress })
}

if (import.meta.main) {
  const { anew } = argumentsOf('npm run reindex -- [--anew]', { anew: { type: 'boolean', default: false } })
  try {
    const done = await reindexItems(await variablesFrom('.dev.vars'), anew)
    process.stdout.write(`The index was told of ${done} items.\n`)
  } catch (error) {
    process.stderr.write(`Not indexed: ${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  }
}
