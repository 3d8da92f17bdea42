// The composition root: the only place that knows every part, and chooses.
import { neon, neonConfig } from '@neondatabase/serverless'
import { neonCheckpointer } from '../src/adapters/neon/index.ts'
import { openaiModel } from '../src/adapters/openai/index.ts'
import { type Activity, upstashActivity, upstashCache } from '../src/adapters/upstash/index.ts'
import type { Service } from '../src/http/service.ts'
import type { Env } from '../src/index.ts'
import { hashOf } from '../src/kernel/hash.ts'
import { type Settings, settingsOf } from './env.ts'
import { support } from './support.ts'

export interface Composition {
  readonly settings: Settings
  readonly service: Service
  readonly activity: Activity | undefined
  /** Short hashes of what is connected to: never a password, enough to see that two deployments differ. */
  readonly fingerprints: Readonly<Record<string, string>>
}

const compositions = new WeakMap<object, Composition>()

/** Once per isolate. Nothing in it holds a connection or a thread's state. */
export function compile(env: Env): Composition {
  const known = compositions.get(env)
  if (known !== undefined) return known
  const composition = compose(env)
  compositions.set(env, composition)
  return composition
}

function compose(env: Env): Composition {
  const settings = settingsOf(env as Readonly<Record<string, unknown>>)
  const { DATABASE_URL, NEON_HTTP_ENDPOINT, OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL, RECOLLECT_LOCAL } = settings
  // A global of the client; it takes the same value every time.
  if (NEON_HTTP_ENDPOINT !== undefined) neonConfig.fetchEndpoint = NEON_HTTP_ENDPOINT
  const database = databaseName(DATABASE_URL)
  const redis = redisOf(settings)
  const checkpointer = neonCheckpointer(neon(DATABASE_URL))
  const cache = redis && upstashCache({ ...redis, database })
  const model = openaiModel({ apiKey: OPENAI_API_KEY, baseUrl: OPENAI_BASE_URL, model: OPENAI_MODEL })
  const parts = { checkpointer, ...(cache && { cache }), model, env, deepFreeze: RECOLLECT_LOCAL !== undefined }
  return {
    settings,
    service: {
      graphs: { support: support.compile({ ...parts, name: 'support' }) },
      checkpointer,
      ...(cache && { cache }),
    },
    activity: redis && upstashActivity({ ...redis, database }),
    fingerprints: {
      postgres: hashOf(database).slice(0, 8),
      ...(redis && { redis: hashOf(redis.url).slice(0, 8) }),
      model: hashOf(OPENAI_BASE_URL, OPENAI_MODEL).slice(0, 8),
    },
  }
}

/** Host and database, without the password. */
function databaseName(connectionString: string): string {
  const { host, pathname } = new URL(connectionString)
  return `${host}${pathname}`
}

function redisOf(settings: Settings) {
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token, CACHE_SECRET: secret } = settings
  return url !== undefined && token !== undefined && secret !== undefined ? { url, token, secret } : undefined
}
