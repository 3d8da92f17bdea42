// The composition root: the only place that knows every part, and chooses.
import { neon, neonConfig } from '@neondatabase/serverless'
import type { Hono } from 'hono'
import { checkNeon, neonCheckpointer, neonStore, type Sql } from '../src/adapters/neon/index.ts'
import { checkOpenAi, openaiEmbedder, openaiModel } from '../src/adapters/openai/index.ts'
import {
  type Activity,
  checkUpstash,
  checkUpstashVector,
  upstashActivity,
  upstashCache,
  upstashEventLog,
  upstashItemIndex,
} from '../src/adapters/upstash/index.ts'
import { type Auth, type HealthCheck, type ReviewLinks, reviewUrl, serve } from '../src/http/index.ts'
import {
  type CompiledGraph,
  type Env,
  extraction,
  type IndexedStoreOptions,
  indexedStore,
  WebhookOffice,
} from '../src/index.ts'
import { hashOf } from '../src/kernel/hash.ts'
import type { Cache, Checkpointer, EventLog, Orphan, Store } from '../src/ports/index.ts'
import { type Settings, settingsOf } from './env.ts'
import { fusionOf, retentionOfItems, sharedNamespaces } from './item-settings.ts'
import { runQueueOf } from './run-queue.ts'
import { support } from './support.ts'

export interface Composition {
  readonly settings: Settings
  readonly graphs: { readonly support: CompiledGraph; readonly [name: string]: CompiledGraph }
  readonly checkpointer: Checkpointer
  readonly cache: Cache | undefined
  readonly events: EventLog | undefined
  /** Absent without RECOLLECT_SECRET. */
  readonly webhooks: WebhookOffice | undefined
  readonly store: Store
  readonly app: Hono
  /** Absent without Redis. */
  readonly activity: Activity | undefined
  readonly health: Readonly<Record<string, HealthCheck>>
}

const compositions = new WeakMap<object, Composition>()

/** Once per isolate. Nothing in it holds a connection or a thread's state. Throws `environment_invalid`, naming every setting that is missing. */
export function compile(env: Env): Composition {
  const known = compositions.get(env)
  if (known !== undefined) return known
  const composition = compose(env)
  compositions.set(env, composition)
  return composition
}

function compose(env: Env): Composition {
  const bindings = env as Readonly<Record<string, unknown>>
  const settings = settingsOf(bindings)
  const { DATABASE_URL, NEON_HTTP_ENDPOINT, OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL, RECOLLECT_LOCAL } = settings
  // A global of the client; it takes the same value every time.
  if (NEON_HTTP_ENDPOINT !== undefined) neonConfig.fetchEndpoint = NEON_HTTP_ENDPOINT
  const database = databaseName(DATABASE_URL)
  const redis = redisOf(settings)
  const sql = neon(DATABASE_URL)
  const checkpointer = neonCheckpointer(sql)
  const cache = redis && upstashCache({ ...redis, database })
  const events = redis && upstashEventLog({ ...redis, database })
  const review = reviewOf(settings)
  const webhooks = review && webhooksOf(checkpointer, settings, review)
  const queue = runQueueOf(bindings)
  const modelService = { apiKey: OPENAI_API_KEY, baseUrl: OPENAI_BASE_URL, model: OPENAI_MODEL }
  const model = openaiModel(modelService)
  const vector = vectorOf(settings)
  const remembers = { store: storeOf(sql, settings), sharedNamespaces: sharedNamespaces(settings) }
  const storage = { checkpointer, ...remembers, ...(cache && { cache }), ...(events && { events }) }
  const options = {
    ...{ ...storage, ...retentionOf(settings), model, env, deepFreeze: RECOLLECT_LOCAL !== undefined },
    ...(webhooks && { webhooks }),
    ...(queue && { passOn: (run: Orphan) => queue.send(run) }),
  }
  const extract = settings.EXTRACTION === 'on' ? { extract: extraction() } : {}
  const graphs = { support: support.compile({ ...options, ...extract, name: 'support' }) }
  const health: Record<string, HealthCheck> = {
    postgres: { fingerprint: fingerprintOf(database), check: () => checkNeon(sql) },
    ...(redis && { redis: { fingerprint: fingerprintOf(redis.url), check: () => checkUpstash(redis) } }),
    ...(vector && { vector: { fingerprint: fingerprintOf(vector.url), check: () => checkUpstashVector(vector) } }),
    model: { fingerprint: fingerprintOf(OPENAI_BASE_URL, OPENAI_MODEL), check: () => checkOpenAi(modelService) },
  }
  return {
    settings,
    graphs,
    checkpointer,
    cache,
    events,
    webhooks,
    store: remembers.store,
    health,
    app: serve({
      ...{ graphs, ...storage, health, auth: authOf(settings), origins: originsOf(settings) },
      ...(webhooks && { webhooks }),
      ...(review && { review }),
    }),
    activity: redis && upstashActivity({ ...redis, database }),
  }
}

function reviewOf({ RECOLLECT_SECRET: secret, PUBLIC_URL: publicUrl }: Settings): ReviewLinks | undefined {
  return secret === undefined
    ? undefined
    : { secret, ...(publicUrl !== undefined && { publicUrl: publicUrl.replace(/\/$/, '') }) }
}

const weekSeconds = 604_800

/** To addresses of this machine only in the local stack, whose settings no deployment takes. */
function webhooksOf({ webhooks: store }: Checkpointer, { RECOLLECT_LOCAL }: Settings, review: ReviewLinks) {
  const { secret, publicUrl } = review
  return new WebhookOffice({
    ...{ store, secret, anywhere: RECOLLECT_LOCAL !== undefined },
    // Whoever gets the webhook may answer by the link that is in it, for a week.
    ...(publicUrl !== undefined && {
      reviewUrl: ({ tenant, id }) =>
        reviewUrl(review, { tenant, approval: id, by: null, exp: Math.floor(Date.now() / 1_000) + weekSeconds }),
    }),
  })
}

const dayMs = 86_400_000

function retentionOf({ THREAD_TTL_DAYS, CHECKPOINTS_KEPT }: Settings) {
  return {
    ...(THREAD_TTL_DAYS !== undefined && { threadTtlMs: Number(THREAD_TTL_DAYS) * dayMs }),
    ...(CHECKPOINTS_KEPT !== undefined && { keepCheckpoints: Number(CHECKPOINTS_KEPT) }),
  }
}

/** Items in Postgres, found by an index where one is set up. */
function storeOf(sql: Sql, settings: Settings): Store {
  const parts = indexPartsOf(sql, settings)
  return parts === undefined ? neonStore(sql, { retention: retentionOfItems(settings) }) : indexedStore(parts)
}

/** What the store behind an index is made of; `undefined`: no index is set up. */
export function indexPartsOf(sql: Sql, settings: Settings): IndexedStoreOptions | undefined {
  const vector = vectorOf(settings)
  const { EMBEDDING_MODEL: model, EMBEDDING_DIMENSIONS, OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseUrl } = settings
  if (vector === undefined) return undefined
  const dimensions = Number(EMBEDDING_DIMENSIONS)
  const embedder = model === undefined ? {} : { embedder: openaiEmbedder({ apiKey, baseUrl, model, dimensions }) }
  const fusion = fusionOf(settings.UPSTASH_VECTOR_FUSION)
  const index = upstashItemIndex({ ...vector, kind: kindOf(settings), ...embedder, ...(fusion && { fusion }) })
  return { items: neonStore(sql, { indexed: true, retention: retentionOfItems(settings) }), index, ...embedder }
}

function kindOf({ UPSTASH_VECTOR_KIND: kind, EMBEDDING_MODEL }: Settings): 'sparse' | 'dense' | 'hybrid' {
  if (kind === 'sparse' || kind === 'dense' || kind === 'hybrid') return kind
  return EMBEDDING_MODEL === undefined ? 'sparse' : 'hybrid'
}

function vectorOf({ UPSTASH_VECTOR_REST_URL: url, UPSTASH_VECTOR_REST_TOKEN: token }: Settings) {
  return url !== undefined && token !== undefined ? { url, token } : undefined
}

function authOf({ AUTH_SECRET, AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE }: Settings): Auth {
  const key = AUTH_JWKS_URL === undefined ? { secret: AUTH_SECRET ?? '' } : { jwks: AUTH_JWKS_URL }
  return { ...key, ...(AUTH_ISSUER && { issuer: AUTH_ISSUER }), ...(AUTH_AUDIENCE && { audience: AUTH_AUDIENCE }) }
}

function originsOf({ CORS_ORIGINS }: Settings): '*' | readonly string[] {
  return CORS_ORIGINS === '*' ? '*' : CORS_ORIGINS.split(',').map((origin) => origin.trim())
}

/** No password goes in; enough to see that two deployments are not connected to the same. */
function fingerprintOf(...parts: readonly string[]): string {
  return hashOf(...parts).slice(0, 8)
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
