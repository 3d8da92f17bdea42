// A refusal in Upstash Vector's shape: `{ error, status }`, with that HTTP status.
import { json, type WireReply } from '../stand-in.ts'

export class VectorError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }

  reply(operations: readonly string[]): WireReply {
    return json({ error: this.message, status: this.status }, this.status, operations)
  }
}

/** What can be read but not be done. */
export const unprocessable = (message: string) => new VectorError(422, message)
