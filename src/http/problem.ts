// Ours → wire: an error as `application/problem+json` (RFC 9457) with a stable code, and never a word of foreign errors.
import { asRecollectError, isRecollectError, messageOf, type RecollectError } from '../kernel/errors.ts'

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  /** Stable: what programs decide by. */
  readonly code: string
  readonly retryable: boolean
  readonly retryAfterMs?: number
  readonly details?: Readonly<Record<string, unknown>>
}

/** The answer to a failed request. What recollect did not expect goes to the operator's log, not to the caller. */
export function problemResponse(thrown: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  const error = knownError(thrown)
  const problem = problemOf(error)
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(error.retryAfterMs !== undefined && { 'retry-after': retryAfter(error.retryAfterMs) }),
      ...challenge(error),
      ...headers,
    },
  })
}

export function problemOf(thrown: unknown): Problem {
  const error = knownError(thrown)
  const { code, status, retryable, retryAfterMs, details } = error
  return {
    type: `urn:recollect:problem:${code}`,
    title: `${code.charAt(0).toUpperCase()}${code.slice(1)}`.replaceAll('_', ' '),
    status,
    detail: detailOf(error),
    code,
    retryable,
    ...(retryAfterMs !== undefined && { retryAfterMs: Math.ceil(retryAfterMs) }),
    // Of our own faults the message says enough; details might tell how the house is built.
    ...(details !== undefined && !isFault(error) && { details }),
  }
}

/** Any thrown value as one of ours, safe to show. */
export function knownError(thrown: unknown): RecollectError {
  if (isRecollectError(thrown)) return thrown
  return asRecollectError(thrown, 'internal', 'Something went wrong that is not your fault. The log has the reason.')
}

/** For the operator: faults of ours with what caused them, and everything that is not ours. */
export function logFailure(thrown: unknown): void {
  if (!isRecollectError(thrown)) console.error(`recollect: unexpected error: ${traceOf(thrown)}`)
  else if (isFault(thrown)) console.error(`recollect: ${thrown.code}: ${thrown.message} ${traceOf(thrown.cause)}`)
}

/** Ours, and not the caller's. What this version cannot do is nobody's. */
function isFault({ code, status }: RecollectError): boolean {
  return status >= 500 && code !== 'feature_unsupported'
}

/** Errors of storage clients hold whole statements and commands, with the state in them: of those the name and the place. */
function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return error === undefined ? '' : typeof error
  const { name, message, stack = '' } = error
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line))
  return [ofStorage.test(name) ? name : `${name}: ${message.slice(0, 300)}`, ...frames.slice(0, 8)].join('\n')
}

const ofStorage = /upstash|neon|postgres|database/i

/** A message of ours may quote the error that caused it. What a node or a service said may hold state: the quote goes. */
function detailOf(error: RecollectError): string {
  const { message, cause } = error
  if (!isFault(error) || cause === undefined || isRecollectError(cause)) return message
  const quoted = messageOf(cause)
  return quoted === '' ? message : message.replaceAll(quoted, '…')
}

function retryAfter(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1000)))
}

/** RFC 6750: how to come back with a token that will do. */
function challenge({ code, details }: RecollectError): Record<string, string> {
  if (code === 'token_missing') return { 'www-authenticate': 'Bearer realm="recollect"' }
  if (code === 'token_invalid') return { 'www-authenticate': 'Bearer realm="recollect", error="invalid_token"' }
  if (code !== 'scope_missing') return {}
  const wanted = Array.isArray(details?.scopes) ? details.scopes.join(' ') : ''
  return { 'www-authenticate': `Bearer realm="recollect", error="insufficient_scope", scope="${wanted}"` }
}
