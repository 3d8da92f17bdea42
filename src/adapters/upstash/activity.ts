// A mark in Redis that turns are being taken, so that a cron need not wake a sleeping database to find that nothing is due.
import { hashOf } from '../../kernel/hash.ts'
import { type UpstashAddress, upstashClient } from './client.ts'

/** Whether turns were taken of late, by any isolate. */
export interface Activity {
  /** Written at most once every five minutes per isolate, and tried a few times: without it a cron may pass by for an hour. Never rejects. */
  mark(): Promise<void>
  /** True also when Redis does not answer: then only Postgres knows. */
  seen(): Promise<boolean>
}

const markEveryMs = 300_000
const livesMs = 900_000
const timeoutMs = 2_000
/** With the time limit of each, less than the 30 s that a Worker has after its answer. */
const mostTries = 5
const pauseMs = 1_000

/** A mark that lives for 15 minutes. `database`: what tells this database from others that share the Redis. */
export function upstashActivity({ database, ...address }: UpstashAddress & { database: string }): Activity {
  const key = `recollect:active:${hashOf(database)}`
  const redis = upstashClient(address, timeoutMs)
  let markedAt = Number.NEGATIVE_INFINITY
  return {
    async mark() {
      if (Date.now() - markedAt < markEveryMs) return
      markedAt = Date.now()
      for (let tries = 1; tries <= mostTries; tries++) {
        if (tries > 1) await new Promise((resolve) => setTimeout(resolve, pauseMs))
        const written = redis.set(key, '1', { px: livesMs }).then(
          () => true,
          () => false,
        )
        if (await written) return
      }
      // The next turn tells of this one too.
      markedAt = Number.NEGATIVE_INFINITY
    },
    seen: () =>
      redis.get<string>(key).then(
        (value) => value !== null,
        () => true,
      ),
  }
}
