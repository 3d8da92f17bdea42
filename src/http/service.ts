// What the HTTP layer speaks for: compiled graphs, what remembers their threads, and who is asking.

import type { Namespace } from '../kernel/namespace.ts'
import type { Cache } from '../ports/cache.ts'
import type { Checkpointer, ThreadKey } from '../ports/checkpointer.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { Store } from '../ports/store.ts'
import type { CompiledGraph } from '../runtime/compiled-graph.ts'
import type { WebhookOffice } from '../webhooks/office.ts'
import type { HealthCheck } from './health.ts'

export interface Service {
  /** By name; the first is the default. All share the checkpointer. */
  readonly graphs: Readonly<Record<string, CompiledGraph>>
  readonly checkpointer: Checkpointer
  /** That of the graphs, and so the event log: with a thread that is deleted go what they keep of it. */
  readonly cache?: Cache
  readonly events?: EventLog
  /** Remembers across threads. Without it its routes answer `feature_unsupported`. */
  readonly store?: Store
  /** Namespaces that everybody of a tenant may read, beside their own. None unless told otherwise. */
  readonly sharedNamespaces?: readonly Namespace[]
  /** Of the tenants' webhooks: an office, or keys alone. Without it none are taken and none are sent. */
  readonly webhooks?: WebhookOffice | WebhookKeys
  /** Of pages that people answer on; without it there are none. */
  readonly review?: ReviewLinks
  /** By the service's name, for `GET /health`. */
  readonly health?: Readonly<Record<string, HealthCheck>>
}

export interface WebhookKeys {
  /** What a tenant's incoming webhooks may be signed with, each `whsec_…`. */
  keys(tenant: string): Promise<readonly string[]>
}

export interface ReviewLinks {
  /** What links are signed under: at least 32 characters. */
  readonly secret: string
  /** Where people reach this deployment, without a slash at the end. Of the request that asks for a link unless told otherwise. */
  readonly publicUrl?: string
}

export const scopes = ['chat', 'approve', 'operate'] as const

/** `chat`: own threads, runs and memories. `approve`: answer approvals. `operate`: the whole tenant. */
export type Scope = (typeof scopes)[number]

/** Who is asking, from the token alone. */
export interface Principal {
  readonly tenant: string
  /** The claim `sub`. */
  readonly user: string
  readonly scopes: ReadonlySet<Scope>
}

/** A thread as this principal may reach it: their own, or with `operate` anybody's in the tenant. */
export function threadKeyOf({ tenant, user, scopes }: Principal, thread: string): ThreadKey {
  return { tenant, thread, owner: scopes.has('operate') ? null : user }
}
