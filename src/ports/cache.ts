// The port to the cache of a thread's head: it saves time, is never a lock, and may forget or lie without harm.

export interface CacheKey {
  readonly tenant: string
  readonly thread: string
  readonly owner: string
}

/** The state at a checkpoint, or the deltas of one turn that lead to it. */
export interface CacheEntry {
  /** Number and hash of the checkpoint that it leads to. */
  readonly seq: number
  readonly hash: string
  /** Encoded. */
  readonly text: string
}

/** What throws is a miss, or was not kept: no turn fails for it. A thread whose `delete` throws is not said to be deleted. */
export interface Cache {
  /** Bytes of a state's text. A longer state could not be given back in time, and is not to be kept. */
  readonly longest: number
  /** The state, then one entry per turn. Empty: a miss. An entry that is not whole, or not ours, is a miss. */
  read(key: CacheKey): Promise<readonly CacheEntry[]>
  /** Adds `entries` if the last one kept is `after`; does nothing otherwise, and never creates. */
  append(key: CacheKey, after: { seq: number; hash: string }, entries: readonly CacheEntry[]): Promise<void>
  /** Puts `state`, or nothing, in the place of all that is kept. Does nothing for a thread that was deleted just now. */
  replace(key: CacheKey, state: CacheEntry | undefined): Promise<void>
  /** Forgets the thread, and for some minutes keeps nothing of it: a turn that ended before may still be writing. */
  delete(key: CacheKey): Promise<void>
}
