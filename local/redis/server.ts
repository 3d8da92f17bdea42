// Upstash Redis on loopback: its REST protocol over our own engine. commands.md says which commands, and what differs.
import { type Knobs, type StandIn, standIn } from '../stand-in.ts'
import { Engine } from './engine.ts'
import { Journal } from './journal.ts'
import { type RestEngine, restHandler } from './rest.ts'

interface Front {
  /** 0 picks a free one. */
  port?: number
  /** What callers send as `Authorization: Bearer …`. */
  token: string
  knobs?: Partial<Knobs>
}

export interface UpstashRedisOptions extends Front {
  /** Where the data is kept; without it, in memory only. */
  file?: string
  clock?: () => number
}

export async function upstashRedis({ file, clock = Date.now, ...front }: UpstashRedisOptions): Promise<StandIn> {
  const engine = new Engine({ clock })
  const journal = file === undefined ? undefined : new Journal(file, engine)
  const server = await upstashFront({ ...front, engine })
  return {
    ...server,
    close: async () => {
      await server.close()
      journal?.close()
    },
  }
}

/** The protocol over any engine, which stays open when the server is closed. */
export function upstashFront({
  port = 0,
  token,
  knobs = {},
  engine,
}: Front & { engine: RestEngine }): Promise<StandIn> {
  return standIn({ name: 'upstash-redis', port, knobs, handle: restHandler({ engine, token }) })
}
