// What the turns of one compiled graph are taken with.
import type { Graph } from '../graph/graph.ts'
import type { Namespace } from '../kernel/namespace.ts'
import type { Cache } from '../ports/cache.ts'
import type { Checkpointer, Orphan } from '../ports/checkpointer.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { Model } from '../ports/model.ts'
import type { Store } from '../ports/store.ts'
import type { Env } from './context.ts'
import type { Deliver, WebhookSender } from './delivery.ts'
import { type Extraction, extractTopic } from './extraction.ts'
import type { CompileOptions } from './options.ts'

export interface House {
  readonly name: string
  readonly graph: Graph
  readonly checkpointer: Checkpointer
  readonly cache: Cache | undefined
  readonly events: EventLog | undefined
  readonly model: Model | undefined
  readonly store: Store | undefined
  readonly sharedNamespaces: readonly Namespace[]
  /** `undefined`: nothing is remembered of what is said unless a node does. */
  readonly extract: Extraction | undefined
  readonly env: Env
  readonly deepFreeze: boolean
  readonly speculate: boolean
  readonly leaseMs: number
  /** By topic, ours and the application's. */
  readonly deliver: Readonly<Record<string, Deliver>>
  /** The application's. */
  readonly topics: readonly string[]
  readonly webhooks: WebhookSender | undefined
  /** Takes a run that was given back. */
  readonly passOn: ((run: Orphan) => Promise<unknown>) | undefined
  /** Of threads that turns make. */
  readonly threadTtlMs: number | undefined
  /** Checkpoints kept of a branch; `undefined`: all. */
  readonly keepCheckpoints: number | undefined
}

/** `undefined` without a checkpointer. */
export function houseOf(name: string, graph: Graph, options: CompileOptions): House | undefined {
  const {
    checkpointer,
    cache,
    events,
    model,
    store,
    sharedNamespaces = [],
    extract,
    passOn,
    threadTtlMs,
    keepCheckpoints,
    webhooks,
  } = options
  const { env = {}, deepFreeze = false, speculate = true, leaseMs = 60_000, deliver = {} } = options
  const ours = extract && { [extractTopic]: extract.reader({ graph, checkpointer, store, model }) }
  if (checkpointer === undefined) return undefined
  return {
    ...{ name, graph, checkpointer, cache, events, model, env, deepFreeze, speculate, leaseMs },
    ...{ store, sharedNamespaces, extract },
    ...{
      deliver: { ...deliver, ...ours },
      topics: Object.keys(deliver),
      webhooks,
      passOn,
      threadTtlMs,
      keepCheckpoints,
    },
  }
}
