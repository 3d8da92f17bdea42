// Upstash Redis on loopback: its REST protocol over our own engine. commands.md says which commands, and what differs.
import { type Knobs, type StandIn, standIn } from '../stand-in.ts'
import { Engine } from './engine.ts'
import { Journal } from './journal.ts'
import { restHandler } from './rest.ts'

export interface UpstashRedisOptions {
  /** 0 picks a free one. */
  port?: number
  /** What callers send as `Authorization: Bearer …`. */
  token: string
  knobs?: Partial<Knobs>
  /** Where the data is kept; without it, in memory only. */
  file?: string
  clock?: () => number
}

export async function upstashRedis({
  port = 0,
  token,
  knobs = {},
  file,
  clock = Date.now,
}: UpstashRedisOptions): Promise<StandIn> {
  const engine = new Engine({ clock })
  const journal = file === undefined ? undefined : new Journal(file, engine)
  const server = await standIn({ name: 'upstash-redis', port, knobs, handle: restHandler({ engine, token }) })
  return {
    ...server,
    close: async () => {
      await server.close()
      journal?.close()
    },
  }
}
