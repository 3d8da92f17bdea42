// The one error class of recollect and the table of its codes: HTTP status, and whether sending the same again can help.

const codes = {
  // what the caller sent
  input_invalid: { status: 422, retryable: false },
  body_invalid: { status: 400, retryable: false },
  body_too_large: { status: 413, retryable: false },
  body_too_deep: { status: 400, retryable: false },
  id_invalid: { status: 400, retryable: false },
  token_missing: { status: 401, retryable: false },
  token_invalid: { status: 401, retryable: false },
  signature_invalid: { status: 401, retryable: false },
  scope_missing: { status: 403, retryable: false },
  route_unknown: { status: 404, retryable: false },
  method_unsupported: { status: 405, retryable: false },
  feature_unsupported: { status: 422, retryable: false },
  // threads and runs
  thread_missing: { status: 400, retryable: false },
  thread_unknown: { status: 404, retryable: false },
  thread_exists: { status: 409, retryable: false },
  thread_busy: { status: 409, retryable: true },
  run_unknown: { status: 404, retryable: false },
  run_failed: { status: 500, retryable: false },
  run_queued: { status: 202, retryable: true },
  run_fenced: { status: 409, retryable: true },
  run_handed_over: { status: 409, retryable: true },
  run_cancelled: { status: 409, retryable: false },
  run_interrupted: { status: 409, retryable: false },
  key_reused: { status: 422, retryable: false },
  checkpoint_unknown: { status: 404, retryable: false },
  checkpoint_unreadable: { status: 500, retryable: false },
  // approvals
  approval_unknown: { status: 404, retryable: false },
  approval_early: { status: 409, retryable: true },
  approval_forbidden: { status: 403, retryable: false },
  approval_answered: { status: 409, retryable: false },
  approval_expired: { status: 409, retryable: false },
  approval_cancelled: { status: 409, retryable: false },
  // webhooks
  webhook_unknown: { status: 404, retryable: false },
  webhook_disabled: { status: 409, retryable: false },
  webhook_limit: { status: 409, retryable: false },
  // the store
  item_unknown: { status: 404, retryable: false },
  item_forbidden: { status: 403, retryable: false },
  item_too_large: { status: 413, retryable: false },
  index_mismatch: { status: 500, retryable: false },
  // graphs and nodes
  graph_invalid: { status: 500, retryable: false },
  graph_unknown: { status: 404, retryable: false },
  node_unknown: { status: 500, retryable: false },
  node_failed: { status: 500, retryable: false },
  node_timeout: { status: 504, retryable: true },
  node_write_invalid: { status: 500, retryable: false },
  route_invalid: { status: 500, retryable: false },
  state_frozen: { status: 500, retryable: false },
  state_unserializable: { status: 500, retryable: false },
  step_limit: { status: 500, retryable: false },
  topic_unknown: { status: 500, retryable: false },
  interrupt_unknown: { status: 500, retryable: false },
  // what a node needs
  checkpointer_missing: { status: 500, retryable: false },
  store_missing: { status: 500, retryable: false },
  model_missing: { status: 500, retryable: false },
  model_failed: { status: 502, retryable: true },
  model_refused: { status: 502, retryable: false },
  // services
  storage_unavailable: { status: 503, retryable: true },
  storage_failed: { status: 500, retryable: false },
  schema_outdated: { status: 503, retryable: false },
  environment_invalid: { status: 503, retryable: false },
  internal: { status: 500, retryable: false },
} as const satisfies Record<string, { status: number; retryable: boolean }>

/** Stable: what programs decide by. Each has an HTTP status, and says whether sending the same again can help. */
export type ErrorCode = keyof typeof codes

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(codes, code)
}

export interface ErrorOptions {
  cause?: unknown
  /** When the caller may try again, in milliseconds from now. */
  retryAfterMs?: number
  /** Plain data for programs; never payloads or secrets. */
  details?: Record<string, unknown>
}

const mark = Symbol.for('recollect.error')

/**
 * Every error that recollect throws. `code` is stable; the message names the thing, what was expected and the way out.
 * Recognise it with {@link isRecollectError}, which also works across two copies of the package.
 */
export class RecollectError extends Error {
  override readonly name = 'RecollectError'
  readonly [mark] = true
  readonly code: ErrorCode
  /** When the caller may try again, in milliseconds from when it was thrown; `undefined`: nobody knows. */
  readonly retryAfterMs: number | undefined
  /** Plain data for programs, such as which run it is about. */
  readonly details: Record<string, unknown> | undefined

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryAfterMs = options.retryAfterMs
    this.details = options.details
  }

  /** HTTP status of this code. */
  get status(): number {
    return codes[this.code].status
  }

  /** Whether sending the same request again can help. */
  get retryable(): boolean {
    return codes[this.code].retryable
  }
}

/** True also of an error that another copy of the package has thrown. */
export function isRecollectError(error: unknown): error is RecollectError {
  return typeof error === 'object' && error !== null && mark in error
}

/** Unknown → ours. The message of a foreign error is kept as the cause only: it may hold payloads or secrets. */
export function asRecollectError(error: unknown, code: ErrorCode, message: string): RecollectError {
  return isRecollectError(error) ? error : new RecollectError(code, message, { cause: error })
}

/** A short, safe text of a foreign error for messages about the caller's own code. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** ` (did you mean "x"?)` for the candidate nearest to `name`, or nothing when none is near. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best === undefined ? '' : ` (did you mean "${best}"?)`
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substitution))
    }
    previous = row
  }
  return previous[b.length] ?? 0
}
