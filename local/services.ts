// The stand-ins for the services that a Worker talks to, with their data in one folder.
import { join } from 'node:path'
import { neonConfig } from '@neondatabase/serverless'
import { scriptedModel } from './model/server.ts'
import type { Engine as PostgresEngine } from './neon/engine.ts'
import { openingPglite } from './neon/pglite.ts'
import { neonHttp } from './neon/server.ts'
import type { RestEngine } from './redis/rest.ts'
import { upstashFront, upstashRedis } from './redis/server.ts'
import { applySchema } from './schema.ts'
import type { LocalSecrets } from './secrets.ts'
import type { StandIn } from './stand-in.ts'
import { type IndexKind, indexKindOf, kindName } from './vector/index-kind.ts'
import { type LocalVector, upstashVector } from './vector/server.ts'

export interface Embedding {
  readonly model: string
  readonly dimensions: number
}

export interface Services {
  /** What the Worker's settings must be to use them. */
  readonly variables: Readonly<Record<string, string>>
  /** One a service, for people. */
  readonly lines: readonly string[]
  readonly standIns: {
    readonly postgres: StandIn
    readonly redis: StandIn
    readonly vector: LocalVector
    readonly model: StandIn | undefined
  }
  /** Resolves when Postgres is open and has its schema. The others take requests at once. */
  ready(): Promise<void>
  close(): Promise<void>
}

/** What to use in place of what the local stack brings along. Engines stay open when the services are closed. */
export interface ServiceChoices {
  readonly postgres?: PostgresEngine | undefined
  readonly redis?: RestEngine | undefined
  /** That of the data unless told otherwise. Throws where the data is of another. */
  readonly vector?: IndexKind | undefined
  /** Settings of a real model. */
  readonly model?: Readonly<Record<string, string>> | undefined
  /** A real embedding model: a vector index that is made now finds by it, and by words. Without one, by words alone. */
  readonly embedding?: Embedding | undefined
  /** Between the chunks of the scripted model's stream. */
  readonly chunkDelayMs?: number
}

export async function startServices(
  directory: string,
  secrets: LocalSecrets,
  { model, embedding, chunkDelayMs = 5, ...given }: ServiceChoices = {},
): Promise<Services> {
  // First, for it takes the longest, and refuses a folder that another process has before anything else is touched.
  const engine = given.postgres ?? openingPglite(directory)
  const postgres = await neonHttp({ engine, password: secrets.database })
  const redis = given.redis
    ? await upstashFront({ token: secrets.redis, engine: given.redis })
    : await upstashRedis({ token: secrets.redis, file: join(directory, 'redis.jsonl') })
  const vector = await upstashVector({
    token: secrets.vector,
    file: join(directory, 'vector.jsonl'),
    kind: given.vector,
    fresh: embedding && indexKindOf(`hybrid/${embedding.dimensions}`),
  })
  // An index that was made for other vectors goes on with those that the stand-in makes.
  const embeds = embedding?.dimensions === vector.kind.dimension ? embedding : undefined
  const scripted = model === undefined ? await scriptedModel({ chunkDelayMs }) : undefined
  const endpoint = `${postgres.url}/sql`
  const databaseUrl = `postgresql://recollect:${secrets.database}@localhost/recollect`
  neonConfig.fetchEndpoint = endpoint
  return {
    async ready() {
      await engine.opened
      await applySchema(databaseUrl)
    },
    variables: {
      RECOLLECT_LOCAL: '1',
      DATABASE_URL: databaseUrl,
      NEON_HTTP_ENDPOINT: endpoint,
      UPSTASH_REDIS_REST_URL: redis.url,
      UPSTASH_REDIS_REST_TOKEN: secrets.redis,
      UPSTASH_VECTOR_REST_URL: vector.url,
      UPSTASH_VECTOR_REST_TOKEN: secrets.vector,
      UPSTASH_VECTOR_KIND: vector.kind.type.toLowerCase(),
      ...(embeds && { EMBEDDING_MODEL: embeds.model, EMBEDDING_DIMENSIONS: `${embeds.dimensions}` }),
      CACHE_SECRET: secrets.cache,
      ...(model ?? { OPENAI_API_KEY: 'none', OPENAI_BASE_URL: `${scripted?.url}/v1`, OPENAI_MODEL: 'scripted-1' }),
    },
    lines: [
      `Postgres   ${endpoint}   (Neon's HTTP protocol over ${given.postgres ? 'a Postgres server' : 'PGlite, which is Postgres, embedded'})`,
      `Redis      ${redis.url}   (Upstash's REST protocol over ${given.redis ? 'a redis-server' : 'an engine of our own'})`,
      `Vector     ${vector.url}   (Upstash's REST protocol over exact search; the index is ${indexWords(vector.kind, embeds)})`,
      scripted === undefined
        ? `Model      ${model?.OPENAI_BASE_URL ?? 'https://api.openai.com/v1'}   (real: your key is set)`
        : `Model      ${scripted.url}/v1   (scripted, and says so; with OPENAI_API_KEY set, the real one)`,
    ],
    standIns: { postgres, redis, vector, model: scripted },
    async close() {
      await Promise.all([postgres.close(), redis.close(), vector.close(), scripted?.close()])
      if (given.postgres === undefined) await engine.close()
    },
  }
}

function indexWords(kind: IndexKind, embeds: Embedding | undefined): string {
  if (kind.type === 'SPARSE') return 'sparse: it finds by words'
  return `${kindName(kind)}, by ${embeds?.model ?? 'hashed words, which know no meaning'}`
}
