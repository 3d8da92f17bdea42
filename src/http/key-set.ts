// The public keys of an issuer: given, or fetched, kept for a while and fetched again when a token names an unknown one.
import { decode } from 'hono/jwt'
import { RecollectError } from '../kernel/errors.ts'
import { isRecord } from '../kernel/json.ts'

/** A JSON Web Key Set (RFC 7517): public keys alone. */
export interface KeySet {
  readonly keys: readonly (JsonWebKey & { readonly kid?: string })[]
}

const maxAgeMs = 600_000
/** Between two tries: tokens with invented key ids must not become a flood at the issuer. */
const pauseMs = 30_000

/** The keys to check this token with. */
export function keySource(source: string | KeySet): (token: string) => Promise<KeySet> {
  if (typeof source !== 'string') return async () => source
  // What is kept is the set itself, never the promise of one: a Worker may not wait for another request's fetch.
  let kept: { set: KeySet; at: number } | undefined
  let triedAt = 0
  return async (token) => {
    const known = kept !== undefined && hasKeyOf(kept.set, token)
    const now = Date.now()
    if (kept !== undefined && ((known && now - kept.at < maxAgeMs) || now - triedAt < pauseMs)) return kept.set
    triedAt = now
    try {
      kept = { set: await fetchKeySet(source), at: now }
    } catch (error) {
      // An issuer that is away for a moment locks nobody out whose key is known.
      if (kept === undefined || !known) throw error
    }
    return kept.set
  }
}

function hasKeyOf({ keys }: KeySet, token: string): boolean {
  const { kid } = decode(token).header
  return keys.some((key) => key.kid === kid)
}

async function fetchKeySet(url: string): Promise<KeySet> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) })
    const set: unknown = await response.json()
    if (response.ok && isRecord(set) && Array.isArray(set.keys)) return { keys: set.keys.filter(isRecord) }
  } catch {
    // The same as an answer that is no key set.
  }
  throw new RecollectError(
    'storage_unavailable',
    'The keys that tokens are checked with cannot be read from their issuer. Try again.',
    { retryAfterMs: 1_000 },
  )
}
