// The port to what a run has told, kept for a while for readers who come back to another worker. Like the cache it may forget:
// a reader then waits for the end, which Postgres has.
import type { CacheKey } from './cache.ts'

/** What one claim on the thread has told, a piece of it. */
export interface EventPart {
  /** Of the claim. */
  readonly epoch: number
  /** Among the pieces of this claim, from 0. */
  readonly index: number
  /** Nothing that a log need read. */
  readonly text: string
}

/** What throws was not told, or not kept: no run fails for it. A thread whose `delete` throws is not said to be deleted. */
export interface EventLog {
  /**
   * Adds a part behind the one before it. The first part of a later claim takes the place of all that is kept. False, and
   * nothing is done, where a later claim has begun, a part is missing before this one, or the thread was deleted just now.
   */
  append(key: CacheKey, part: EventPart): Promise<boolean>
  /** The parts behind `after`; where another claim has begun since, that one's from the first. All without `after`. */
  read(key: CacheKey, after?: Omit<EventPart, 'text'>): Promise<readonly EventPart[]>
  /** Forgets the thread, and for some minutes keeps nothing of it. */
  delete(key: CacheKey): Promise<void>
}
