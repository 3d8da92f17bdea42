// The real services behind the published clients: a Postgres server behind Neon's HTTP protocol, a redis-server behind Upstash's.
import { neon, neonConfig } from '@neondatabase/serverless'
import { Pool } from 'pg'
import { postgresEngine } from '../local/neon/postgres.ts'
import { neonHttp } from '../local/neon/server.ts'
import { postgresBinaries, throwawayPostgres } from '../local/neon/throwaway-postgres.ts'
import { RealEngine } from '../local/redis/real-engine.ts'
import { upstashFront } from '../local/redis/server.ts'
import { redisServerFound, throwawayRedis } from '../local/redis/throwaway-redis.ts'
import { migrate, neonCheckpointer } from '../src/adapters/neon/index.ts'
import { upstashCache, upstashEventLog } from '../src/adapters/upstash/index.ts'
import { Skipped } from './part.ts'
import { schema } from './storage.ts'
import type { Storage } from './world.ts'

export interface RealServices {
  readonly storage: Storage
  /** A Worker's settings for them, but for the model's and the tokens'. */
  readonly variables: Readonly<Record<string, string>>
  /** Straight to Postgres, for what a harness does to it. */
  readonly pool: Pool
  close(): Promise<void>
}

/** Throws `Skipped` where the machine has not got them. */
export function assertInstalled(): void {
  const missing = [
    ...(postgresBinaries() === undefined ? ['postgresql'] : []),
    ...(redisServerFound() ? [] : ['redis-server']),
  ]
  if (missing.length > 0) throw new Skipped(`it needs ${missing.join(' and ')}: apt-get install ${missing.join(' ')}`)
}

const password = 'faults'
const token = 'faults'
const secret = 'faults-'.repeat(5)

export async function realServices(connections = 20): Promise<RealServices> {
  assertInstalled()
  const [server, redisServer] = await Promise.all([throwawayPostgres({ fsync: false }), throwawayRedis()])
  const engine = postgresEngine(server.connectionString, connections)
  const redisEngine = await RealEngine.open(redisServer.port)
  const postgres = await neonHttp({ password, engine })
  const redis = await upstashFront({ token, engine: redisEngine })
  const pool = new Pool({ connectionString: server.connectionString, max: 2, application_name: 'harness' })
  pool.on('error', () => {})
  // A module global of the client, so it takes the port from each connection string.
  neonConfig.fetchEndpoint = (_host, port) => `http://127.0.0.1:${port}/sql`
  const url = `postgresql://someone:${password}@localhost:${postgres.port}/anything`
  const sql = neon(url)
  await migrate(sql, schema)
  const address = { url: redis.url, token, secret, database: 'faults' }
  const storage: Storage = {
    checkpointer: neonCheckpointer(sql),
    cache: upstashCache(address),
    events: upstashEventLog(address),
    async hasten(tenant) {
      await pool.query('update recollect.outbox set due_at = clock_timestamp() where tenant = $1', [tenant])
    },
  }
  return {
    storage,
    pool,
    variables: {
      DATABASE_URL: url,
      NEON_HTTP_ENDPOINT: `${postgres.url}/sql`,
      UPSTASH_REDIS_REST_URL: redis.url,
      UPSTASH_REDIS_REST_TOKEN: token,
      CACHE_SECRET: secret,
    },
    async close() {
      await Promise.all([postgres.close(), redis.close(), pool.end()])
      redisEngine.close()
      await Promise.all([engine.close().then(server.stop), redisServer.stop()])
    },
  }
}
