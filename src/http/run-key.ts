// The `Idempotency-Key` of a request.
import { RecollectError } from '../kernel/errors.ts'

/** The same key in the same thread is the same run. Throws `id_invalid`. */
export function idempotencyKeyOf(request: Request): { key: string } | undefined {
  const key = request.headers.get('idempotency-key')
  if (key === null) return undefined
  if (/^[\x21-\x7e]{1,240}$/.test(key)) return { key: `idempotency-key:${key}` }
  throw new RecollectError('id_invalid', 'The Idempotency-Key must be 1 to 240 printable characters without spaces.')
}
