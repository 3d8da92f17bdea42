// What Redis knows and one HTTP request cannot carry: commands that block, or that belong to a connection.
import type { Bytes } from './bytes.ts'
import { ReplyError } from './reply.ts'

const commands = new Set(
  `AUTH BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN CLIENT DISCARD EXEC HELLO MONITOR MULTI
   PSUBSCRIBE PUNSUBSCRIBE QUIT RESET SELECT SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE UNSUBSCRIBE UNWATCH WAIT WATCH`.split(
    /\s+/,
  ),
)

/** The error that Upstash answers with. */
export function unavailable([name = '']: Bytes[]): ReplyError | undefined {
  if (!commands.has(name.toUpperCase())) return undefined
  return new ReplyError(
    `ERR Command is not available: '${name.toUpperCase()}'. See https://upstash.com/docs/redis/overall/rediscompatibility for details`,
  )
}

export const blockingRead = (name: 'XREAD' | 'XREADGROUP') =>
  new ReplyError(`ERR ${name} BLOCK is not available over REST: read without it, or subscribe`)
