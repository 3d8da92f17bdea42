// What the client throws, as an error of ours that says whether trying again can help.
import { APIConnectionError, APIError } from 'openai'
import { RecollectError } from '../../kernel/errors.ts'

/** The provider's own text is kept as the cause only: it may quote the conversation. */
export function failureOf(error: unknown): RecollectError {
  if (!(error instanceof APIError)) {
    return new RecollectError(
      'model_failed',
      'The model stopped in mid-answer. Nothing of its answer was kept; send the message again.',
      {
        cause: error,
      },
    )
  }
  const { status } = error
  if (error instanceof APIConnectionError || status === undefined) {
    return new RecollectError(
      'model_failed',
      'The model service could not be reached. Try again, or check its base URL.',
      { cause: error },
    )
  }
  const passing = status >= 500 || status === 429 || status === 408 || status === 409
  const details = { status, code: error.code ?? undefined }
  const hint = status === 401 ? ' Check its API key.' : status === 404 ? ' Check the name of the model.' : ''
  return passing
    ? new RecollectError('model_failed', `The model service answered ${status}. Try again.`, {
        cause: error,
        details,
        ...retryAfter(error),
      })
    : new RecollectError('model_refused', `The model service refused the request with ${status}.${hint}`, {
        cause: error,
        details,
      })
}

function retryAfter({ headers }: APIError): { retryAfterMs: number } | undefined {
  const seconds = Number(headers?.get('retry-after'))
  return seconds > 0 ? { retryAfterMs: seconds * 1_000 } : undefined
}
