// What a command answers, and the errors that more than one command words.
import type { Bytes } from './bytes.ts'

export type Reply = Bytes | number | bigint | null | Status | ReplyError | Reply[]

/** A short word such as OK, which Redis keeps apart from stored strings. */
export class Status {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Commands throw it; inside a transaction or a script it is also a value. The message is what the caller reads. */
export class ReplyError extends Error {}

export const ok = new Status('OK')

export const fail = (message: string): never => {
  throw new ReplyError(message)
}

export const syntaxError = () => new ReplyError('ERR syntax error')
export const noSuchKey = () => new ReplyError('ERR no such key')
export const wrongType = () => new ReplyError('WRONGTYPE Operation against a key holding the wrong kind of value')
export const wrongArity = (name: string) =>
  new ReplyError(`ERR wrong number of arguments for '${name.toLowerCase()}' command`)
export const invalidExpire = (name: string) =>
  new ReplyError(`ERR invalid expire time in '${name.toLowerCase()}' command`)
