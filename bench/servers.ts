// Real servers in place of what the local stack embeds, for `--postgres server` and `--redis server`.
import { postgresEngine } from '../local/neon/postgres.ts'
import { throwawayPostgres } from '../local/neon/throwaway-postgres.ts'
import { RealEngine } from '../local/redis/real-engine.ts'
import { throwawayRedis } from '../local/redis/throwaway-redis.ts'
import type { ServiceChoices } from '../local/services.ts'

export interface ServerChoices {
  readonly postgres: boolean
  readonly redis: boolean
}

export const embedded: ServerChoices = { postgres: false, redis: false }

export interface Servers {
  readonly engines: Pick<ServiceChoices, 'postgres' | 'redis'>
  /** Those that run, by what they are. */
  readonly pids: Readonly<Record<string, number>>
  close(): Promise<void>
}

export async function startServers(choices: ServerChoices): Promise<Servers> {
  const postgres = choices.postgres ? await postgresServer() : undefined
  const redis = choices.redis ? await redisServer() : undefined
  return {
    engines: { postgres: postgres?.engine, redis: redis?.engine },
    pids: { ...(postgres && { postgres: postgres.pid }), ...(redis && { redis: redis.pid }) },
    async close() {
      await Promise.all([postgres?.close(), redis?.close()])
    },
  }
}

async function postgresServer() {
  const { connectionString, pid, stop } = await throwawayPostgres()
  const engine = postgresEngine(connectionString)
  return { engine, pid, close: () => engine.close().then(stop) }
}

async function redisServer() {
  const { port, pid, stop } = await throwawayRedis()
  const engine = await RealEngine.open(port)
  return { engine, pid, close: () => stop().finally(() => engine.close()) }
}
