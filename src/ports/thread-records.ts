// What is kept of a thread beside its checkpoints, and how it is found.
import type { ThreadKey } from './checkpointer.ts'

/** `interrupted`: its run waits for answers, or where it was told to stop. */
export type ThreadStatus = 'idle' | 'busy' | 'interrupted' | 'error'

export interface ThreadRecord {
  readonly thread: string
  readonly owner: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly status: ThreadStatus
  /** The last run's graph; `null`: it had no run. */
  readonly graph: string | null
  /** Number of the checkpoint that the next run begins at; 0: there is none. */
  readonly head: number
  /** ISO 8601. */
  readonly createdAt: string
  readonly updatedAt: string
}

/** `null`: whatever it is. */
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

/** Every method throws as the `Checkpointer` does. */
export interface ThreadRecords {
  /** `exists` when the id is taken by this owner; an id taken by another is `taken`, and nothing more is said of it. */
  create(key: ThreadKey, change: ThreadChange): Promise<ThreadCreation>
  /** `undefined`: no such thread of this owner. */
  get(key: ThreadKey): Promise<ThreadRecord | undefined>
  search(search: ThreadSearch): Promise<readonly ThreadRecord[]>
  /** Of all pages. */
  count(search: ThreadSearch): Promise<number>
  /** Merges into the metadata, where a null removes its key; a time to live counts from now. */
  patch(key: ThreadKey, change: ThreadChange): Promise<ThreadRecord | undefined>
  /**
   * Deletes the thread with all that is kept of it. Of messages that it sent, those still to be delivered go when they are
   * settled. False: no such thread of this owner.
   */
  delete(key: ThreadKey): Promise<boolean>
  /** Threads whose time is over, of all tenants. A thread with a run that is due is not among them. */
  expired(limit: number): Promise<readonly ExpiredThread[]>
  /** A thread with the same checkpoints, of the same owner; not their runs. `undefined`: no such thread of this owner. */
  copy(key: ThreadKey, copy: string): Promise<ThreadCreation | undefined>
  /** Deletes the thread if its time is still over. */
  deleteExpired(thread: ExpiredThread): Promise<boolean>
  /**
   * Deletes checkpoints that are more than `keep` before the end of every branch, as far as the rest can be read without
   * them. Gives how many; `undefined`: no such thread of this owner.
   */
  prune(key: ThreadKey, keep: number): Promise<number | undefined>
}

export interface ThreadChange {
  readonly metadata?: Readonly<Record<string, unknown>>
  /** How long it lives after its last turn, in milliseconds. Without it, or of one that was given none, until it is deleted. */
  readonly ttlMs?: number
}

export interface ExpiredThread {
  readonly tenant: string
  readonly thread: string
  readonly owner: string
}

export type ThreadCreation =
  | { readonly outcome: 'created' | 'exists'; readonly thread: ThreadRecord }
  | { readonly outcome: 'taken' }
