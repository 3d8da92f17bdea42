// A mark in Redis that turns are being taken, so that a cron need not wake a sleeping database to find that nothing is due.
import { hashOf } from '../../kernel/hash.ts'
import { type UpstashAddress, upstashClient } from './client.ts'

export interface Activity {
  /** Writes at most once every five minutes per isolate. Never rejects. */
  mark(): Promise<void>
  /** True also when Redis does not answer: then only Postgres knows. */
  seen(): Promise<boolean>
}

const markEveryMs = 300_000
const livesMs = 900_000
const timeoutMs = 2_000

export function upstashActivity({ database, ...address }: UpstashAddress & { database: string }): Activity {
  const key = `recollect:active:${hashOf(database)}`
  const redis = upstashClient(address, timeoutMs)
  let markedAt = Number.NEGATIVE_INFINITY
  return {
    async mark() {
      if (Date.now() - markedAt < markEveryMs) return
      markedAt = Date.now()
      await redis.set(key, '1', { px: livesMs }).catch(() => {})
    },
    seen: () =>
      redis.get<string>(key).then(
        (value) => value !== null,
        () => true,
      ),
  }
}
