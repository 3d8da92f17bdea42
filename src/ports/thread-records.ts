// What is kept of a thread beside its checkpoints, and how it is found.
import type { ThreadKey } from './checkpointer.ts'

export type ThreadStatus = 'idle' | 'busy' | 'error'

export interface ThreadRecord {
  readonly thread: string
  readonly owner: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly status: ThreadStatus
  /** The last run's graph. */
  readonly graph: string | null
  readonly head: number
  readonly createdAt: string
  readonly updatedAt: string
}

export interface ThreadSearch {
  readonly tenant: string
  readonly owner: string | null
  /** Every pair must be in the thread's metadata, equal as JSON. */
  readonly metadata: Readonly<Record<string, unknown>>
  readonly ids: readonly string[] | null
  readonly status: ThreadStatus | null
  readonly limit: number
  readonly offset: number
  readonly sortBy: 'createdAt' | 'updatedAt' | 'thread'
  readonly descending: boolean
}

export interface ThreadRecords {
  /** `exists` when the id is taken by this owner; an id taken by another is `taken`, and nothing more is said of it. */
  create(key: ThreadKey, metadata: Readonly<Record<string, unknown>>): Promise<ThreadCreation>
  get(key: ThreadKey): Promise<ThreadRecord | undefined>
  search(search: ThreadSearch): Promise<readonly ThreadRecord[]>
  count(search: ThreadSearch): Promise<number>
  /** Merges into the metadata; a null removes its key. */
  patch(key: ThreadKey, metadata: Readonly<Record<string, unknown>>): Promise<ThreadRecord | undefined>
  /** Deletes the thread with all its checkpoints and runs. False: no such thread of this owner. */
  delete(key: ThreadKey): Promise<boolean>
}

export type ThreadCreation =
  | { readonly outcome: 'created' | 'exists'; readonly thread: ThreadRecord }
  | { readonly outcome: 'taken' }
