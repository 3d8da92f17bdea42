// One Postgres server and the ways to it: over TCP as `pg` speaks it, over HTTP as Neon does; and Redis as Upstash speaks it.
import { readFile } from 'node:fs/promises'
import { neon, neonConfig } from '@neondatabase/serverless'
import { postgresEngine } from '../../local/neon/postgres.ts'
import { neonHttp } from '../../local/neon/server.ts'
import { throwawayPostgres } from '../../local/neon/throwaway-postgres.ts'
import { upstashRedis } from '../../local/redis/server.ts'
import type { StandIn } from '../../local/stand-in.ts'
import { migrate } from '../../src/adapters/neon/index.ts'
import { type DelayLine, delayLine } from './delay-line.ts'
import { statementCounter } from './statement-counter.ts'

export interface Wires {
  readonly postgres: DelayLine
  readonly neon: DelayLine
  readonly redis: DelayLine
  readonly standIns: { readonly neon: StandIn; readonly redis: StandIn }
  /** For `pg`, and for Neon's client. */
  readonly urls: { readonly postgres: string; readonly neon: string }
  readonly redisToken: string
  setRoundTrip(ms: number): void
  close(): Promise<void>
}

const password = 'bench'
const redisToken = 'bench'

export async function startWires(): Promise<Wires> {
  const server = await throwawayPostgres()
  const engine = postgresEngine(server.connectionString)
  const standIns = { neon: await neonHttp({ engine, password }), redis: await upstashRedis({ token: redisToken }) }
  const lines = {
    postgres: await delayLine({ to: Number(new URL(server.connectionString).port), counter: statementCounter }),
    neon: await delayLine({ to: standIns.neon.port }),
    redis: await delayLine({ to: standIns.redis.port }),
  }
  const urls = {
    postgres: `postgresql://postgres@127.0.0.1:${lines.postgres.port}/postgres`,
    neon: `postgresql://postgres:${password}@localhost/postgres`,
  }
  neonConfig.fetchEndpoint = `http://127.0.0.1:${lines.neon.port}/sql`
  await migrate(neon(urls.neon), await readFile(new URL('../../schema.sql', import.meta.url), 'utf8'))
  return {
    ...lines,
    standIns,
    urls,
    redisToken,
    setRoundTrip(ms) {
      for (const line of Object.values(lines)) line.roundTripMs = ms
    },
    async close() {
      await Promise.all(Object.values(lines).map((line) => line.close()))
      await Promise.all(Object.values(standIns).map((standIn) => standIn.close()))
      await engine.close()
      await server.stop()
    },
  }
}
