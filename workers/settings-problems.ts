// What is wrong with a Worker's settings, beyond what is missing: forms, and what goes with what.
import type { Settings } from './env.ts'
import { fusionOf, retentionProblem, sharedProblem } from './item-settings.ts'

const shortestSecret = 32

/** Sentences that name what is wrong, and no value of it that may be a secret. */
export function problemsOf(settings: Settings): string[] {
  const problems: string[] = []
  const { AUTH_SECRET, AUTH_JWKS_URL, UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN, CACHE_SECRET } = settings
  const { DATABASE_URL, THREAD_TTL_DAYS, CHECKPOINTS_KEPT, RECOLLECT_SECRET, PUBLIC_URL } = settings
  if (AUTH_SECRET === undefined && AUTH_JWKS_URL === undefined) {
    problems.push('AUTH_SECRET or AUTH_JWKS_URL is missing: without one no token can be checked.')
  }
  for (const [name, secret] of Object.entries({ AUTH_SECRET, CACHE_SECRET, RECOLLECT_SECRET })) {
    if (secret !== undefined && secret.length < shortestSecret)
      problems.push(`${name} is shorter than ${shortestSecret} characters.`)
  }
  const cache = { UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN, CACHE_SECRET }
  const missing = Object.entries(cache).flatMap(([name, value]) => (value === undefined ? [name] : []))
  if (missing.length > 0 && missing.length < 3) problems.push(`The cache needs ${missing.join(' and ')} too.`)
  const { UPSTASH_VECTOR_REST_URL, UPSTASH_VECTOR_REST_TOKEN } = settings
  if ((UPSTASH_VECTOR_REST_URL === undefined) !== (UPSTASH_VECTOR_REST_TOKEN === undefined)) {
    problems.push('The vector index needs both UPSTASH_VECTOR_REST_URL and UPSTASH_VECTOR_REST_TOKEN.')
  }
  const { UPSTASH_VECTOR_KIND, EMBEDDING_DIMENSIONS } = settings
  if (UPSTASH_VECTOR_KIND !== undefined && !['sparse', 'dense', 'hybrid'].includes(UPSTASH_VECTOR_KIND)) {
    problems.push('UPSTASH_VECTOR_KIND must be sparse, dense or hybrid.')
  }
  if (settings.EXTRACTION !== 'on' && settings.EXTRACTION !== 'off') problems.push('EXTRACTION must be on or off.')
  const { UPSTASH_VECTOR_FUSION, MEMORY_TTL_DAYS } = settings
  if (fusionOf(UPSTASH_VECTOR_FUSION) === undefined) problems.push('UPSTASH_VECTOR_FUSION must be RRF or DBSF.')
  const wrongRule = retentionProblem(MEMORY_TTL_DAYS)
  if (wrongRule !== undefined) problems.push(`MEMORY_TTL_DAYS ${wrongRule}`)
  const wrongName = sharedProblem(settings)
  if (wrongName !== undefined) problems.push(`SHARED_NAMESPACES ${wrongName}`)
  for (const [name, value] of Object.entries({ THREAD_TTL_DAYS, CHECKPOINTS_KEPT, EMBEDDING_DIMENSIONS })) {
    if (value !== undefined && !/^[1-9]\d{0,5}$/.test(value)) problems.push(`${name} must be a whole number above 0.`)
  }
  if (PUBLIC_URL !== undefined && !/^https?:\/\/[^/?#@]+\/?$/.test(PUBLIC_URL)) {
    problems.push('PUBLIC_URL is not of the form https://host, without a path.')
  }
  if (DATABASE_URL !== undefined && !/^postgres(ql)?:\/\/[^@]+@[^/]+\/.+/.test(DATABASE_URL)) {
    problems.push('DATABASE_URL is not of the form postgresql://user:password@host/database.')
  }
  return problems
}
