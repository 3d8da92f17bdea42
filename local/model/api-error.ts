// A refusal in OpenAI's shape: `{ error: { message, type, param, code } }`.
import { json, type WireReply } from '../stand-in.ts'

interface Refusal {
  status: number
  message: string
  type?: string
  param?: string
  code?: string
  retryAfterSeconds?: number
}

export class ApiError extends Error {
  readonly status: number
  readonly type: string
  readonly param: string | null
  readonly code: string | null
  readonly retryAfterSeconds: number | undefined

  constructor({ status, message, type = 'invalid_request_error', param, code, retryAfterSeconds }: Refusal) {
    super(message)
    this.status = status
    this.type = type
    this.param = param ?? null
    this.code = code ?? null
    this.retryAfterSeconds = retryAfterSeconds
  }

  reply(operations: readonly string[]): WireReply {
    const { message, type, param, code, retryAfterSeconds } = this
    const reply = json({ error: { message, type, param, code } }, this.status, operations)
    if (retryAfterSeconds === undefined) return reply
    return { ...reply, headers: { ...reply.headers, 'retry-after': String(retryAfterSeconds) } }
  }
}
