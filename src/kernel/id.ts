// Identifiers: which a caller may choose, and how ours are made.
import { RecollectError } from './errors.ts'

const chosen = /^[A-Za-z0-9_-][A-Za-z0-9_.:@-]{0,127}$/

/** A thread, run or graph id as a caller may choose it: 1 to 128 of `A–Z a–z 0–9 _ - . : @`, not beginning with a dot. */
export function assertId(kind: string, id: unknown): asserts id is string {
  if (typeof id === 'string' && chosen.test(id) && !id.includes('..')) return
  throw new RecollectError(
    'id_invalid',
    `The ${kind} id must be a string of 1 to 128 characters out of A–Z a–z 0–9 _ - . : @, not beginning with "." or ":" or "@" and without "..". It is ${describe(id, 128)}.`,
  )
}

/** A name from outside, such as a tenant or a user of a token, or a request's idempotency key: 1 to 256 characters, no control characters. */
export function assertPrincipal(kind: 'tenant' | 'user' | 'idempotency key', id: unknown): asserts id is string {
  const sound = typeof id === 'string' && id.length >= 1 && id.length <= 256 && !/\p{Cc}/u.test(id) && id.isWellFormed()
  if (sound) return
  throw new RecollectError(
    'id_invalid',
    `The ${kind} must be a string of 1 to 256 characters without control characters. It is ${describe(id, 256)}.`,
  )
}

function describe(id: unknown, longest: number): string {
  if (id === '') return 'empty'
  if (typeof id === 'string') return id.length > longest ? `${id.length} characters` : 'written otherwise'
  if (id === null) return 'null'
  return Array.isArray(id) ? 'an array' : `of type ${typeof id}`
}

/** A fresh id for a thread, a run or a claim: a random UUID. */
export function randomId(): string {
  return crypto.randomUUID()
}
