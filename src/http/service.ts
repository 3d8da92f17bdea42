// What the HTTP layer speaks for: compiled graphs, what remembers their threads, and who is asking.
import type { Cache } from '../ports/cache.ts'
import type { Checkpointer } from '../ports/checkpointer.ts'
import type { CompiledGraph } from '../runtime/compiled-graph.ts'

export interface Service {
  /** By name; the first is the default. All share the checkpointer. */
  readonly graphs: Readonly<Record<string, CompiledGraph>>
  readonly checkpointer: Checkpointer
  readonly cache?: Cache
}

/** `chat`: own threads, runs and memories. `approve`: answer approvals. `operate`: the whole tenant. */
export type Scope = 'chat' | 'approve' | 'operate'

/** Who is asking, from the token alone. */
export interface Principal {
  readonly tenant: string
  readonly user: string
  readonly scopes: ReadonlySet<Scope>
}

/** For Hono: what routes find on their context. */
export interface HttpEnvironment {
  Variables: { principal: Principal }
}
