// The Worker's settings: one table that makes the type, the check, `.dev.vars.example` and `docs/operations.md`.
import { RecollectError } from '../src/kernel/errors.ts'
import { problemsOf } from './settings-problems.ts'

interface Variable {
  /** Secrets are set with `wrangler secret put`, the rest as `[vars]`. */
  readonly secret: boolean
  readonly required: boolean
  readonly default?: string
  readonly example: string
  readonly about: string
}

export const variables = {
  DATABASE_URL: {
    secret: true,
    required: true,
    example: 'postgresql://user:password@ep-example.eu-central-1.aws.neon.tech/neondb',
    about: 'Neon Postgres, where threads are kept. Neon console → your project → Connect.',
  },
  UPSTASH_REDIS_REST_URL: {
    secret: false,
    required: false,
    example: 'https://example.upstash.io',
    about:
      'Upstash Redis, the cache in front of Postgres. Upstash console → your database → REST. Without it, there is no cache.',
  },
  UPSTASH_REDIS_REST_TOKEN: {
    secret: true,
    required: false,
    example: 'AX…',
    about: 'The token beside that URL.',
  },
  UPSTASH_VECTOR_REST_URL: {
    secret: false,
    required: false,
    example: 'https://example-vector.upstash.io',
    about:
      'Upstash Vector, the index of long-term memory. Upstash console → your index → REST. Without it, they are found by Postgres’ own text search.',
  },
  UPSTASH_VECTOR_REST_TOKEN: {
    secret: true,
    required: false,
    example: 'AB…',
    about: 'The token beside that URL.',
  },
  CACHE_SECRET: {
    secret: true,
    required: false,
    example: '32 characters or more, such as from: openssl rand -base64 32',
    about:
      'Seals what is cached. Needed with the cache. Change it at will: what was cached is then read from Postgres.',
  },
  UPSTASH_VECTOR_KIND: {
    secret: false,
    required: false,
    example: 'sparse',
    about:
      'What the index was made as: `sparse` finds by words, `dense` by meaning, `hybrid` by both. Unset: `hybrid` with EMBEDDING_MODEL, `sparse` without.',
  },
  UPSTASH_VECTOR_FUSION: {
    secret: false,
    required: false,
    default: 'RRF',
    example: 'RRF',
    about:
      'How a `hybrid` index joins what it found by words and by meaning: `RRF` by their ranks, `DBSF` by how far their scores stand out.',
  },
  EMBEDDING_MODEL: {
    secret: false,
    required: false,
    example: 'text-embedding-3-small',
    about:
      'The model that embeds memories, of the service that OPENAI_BASE_URL names. Unset, an index embeds by the model of Upstash that it was made with. After a change: `npm run reindex`.',
  },
  EMBEDDING_DIMENSIONS: {
    secret: false,
    required: false,
    default: '1536',
    example: '1536',
    about: 'How many numbers its vectors have, as the index has them.',
  },
  EXTRACTION: {
    secret: false,
    required: false,
    default: 'on',
    example: 'on',
    about:
      'Whether lasting facts are distilled from a thread once it is quiet, and remembered: `on` or `off`. It takes a model call a quiet thread.',
  },
  MEMORY_TTL_DAYS: {
    secret: false,
    required: false,
    default: '90',
    example: '90, users=365, team/handbook=never',
    about:
      'After how many days without a read an item of the store expires, or `never`; then the same for namespaces, with `/` between segments: the longest that fits counts. Of items that are new from then on.',
  },
  SHARED_NAMESPACES: {
    secret: false,
    required: false,
    example: 'team,handbook',
    about:
      'First segments of namespaces that every user of a tenant may read beside their own, separated by commas. Unset: none.',
  },
  OPENAI_API_KEY: {
    secret: true,
    required: true,
    example: 'sk-…',
    about: 'The model service. platform.openai.com → API keys, or that of any compatible service.',
  },
  OPENAI_BASE_URL: {
    secret: false,
    required: false,
    default: 'https://api.openai.com/v1',
    example: 'https://api.openai.com/v1',
    about: 'Where that service is.',
  },
  OPENAI_MODEL: {
    secret: false,
    required: false,
    default: 'gpt-5-mini',
    example: 'gpt-5-mini',
    about: 'The model that answers.',
  },
  AUTH_SECRET: {
    secret: true,
    required: false,
    example: '32 characters or more, such as from: openssl rand -base64 32',
    about: 'Signs and checks tokens (HS256). This or AUTH_JWKS_URL is needed.',
  },
  AUTH_JWKS_URL: {
    secret: false,
    required: false,
    example: 'https://example.auth.com/.well-known/jwks.json',
    about: 'Public keys of whoever signs your tokens (RS256, ES256, EdDSA, …).',
  },
  AUTH_ISSUER: {
    secret: false,
    required: false,
    example: 'https://example.auth.com/',
    about: 'What the claim `iss` must be. Not checked when unset.',
  },
  AUTH_AUDIENCE: {
    secret: false,
    required: false,
    example: 'recollect',
    about: 'What the claim `aud` must contain. Not checked when unset.',
  },
  CORS_ORIGINS: {
    secret: false,
    required: false,
    default: '*',
    example: 'https://app.example.com,https://admin.example.com',
    about: 'Pages that may call from a browser, separated by commas.',
  },
  THREAD_TTL_DAYS: {
    secret: false,
    required: false,
    example: '90',
    about:
      'A new thread is deleted when it was not used for so many days. Unset, threads are kept until they are deleted.',
  },
  CHECKPOINTS_KEPT: {
    secret: false,
    required: false,
    example: '100',
    about: 'About how many checkpoints a thread keeps: between so many and twice as many. Unset, all of them.',
  },
  RECOLLECT_SECRET: {
    secret: true,
    required: false,
    example: '32 characters or more, such as from: openssl rand -base64 32',
    about:
      'Seals what webhooks are signed with, in Postgres, and signs links to review pages. Without it there are neither. Changed, endpoints must be rotated, keys be made again, and links are void.',
  },
  PUBLIC_URL: {
    secret: false,
    required: false,
    example: 'https://recollect.example.workers.dev',
    about: 'Where people reach this Worker, for links in webhooks. Without it they have none.',
  },
  NEON_HTTP_ENDPOINT: {
    secret: false,
    required: false,
    example: 'http://127.0.0.1:5433/sql',
    about: 'Another place that speaks Neon’s HTTP protocol. `npm run dev` sets it.',
  },
  RECOLLECT_LOCAL: {
    secret: false,
    required: false,
    example: '1',
    about:
      'Set by `npm run dev`: all of the state that nodes see is frozen, not only its arrays, and webhooks go to this machine too.',
  },
} as const satisfies Record<string, Variable>

export type Name = keyof typeof variables

export type Settings = {
  readonly [N in Name]: (typeof variables)[N]['required'] extends true
    ? string
    : (typeof variables)[N] extends { default: string }
      ? string
      : string | undefined
}

/** Throws one `environment_invalid` that names everything missing or wrong, and never a value. */
export function settingsOf(env: Readonly<Record<string, unknown>>): Settings {
  const settings: Record<string, string | undefined> = {}
  const problems: string[] = []
  for (const [name, variable] of Object.entries(variables) as [Name, Variable][]) {
    const given = env[name]
    const value = typeof given === 'string' && given.trim() !== '' ? given.trim() : undefined
    if (value === undefined && variable.required) problems.push(`${name} is missing. ${variable.about}`)
    settings[name] = value ?? variable.default
  }
  problems.push(...problemsOf(settings as Settings))
  if (problems.length > 0) {
    throw new RecollectError('environment_invalid', `The Worker is not set up: ${problems.join(' ')}`, {
      details: { problems },
    })
  }
  return settings as Settings
}
