// The port to messages that leave: written by the commit that sends them, delivered at least once.

/** As a commit brings it. The id is the same whenever the same superstep is committed again. */
export interface OutboxEntry {
  readonly id: string
  readonly topic: string
  /** Encoded. */
  readonly payload: string
  /**
   * It is due so many milliseconds after the last commit that sends it, in the place of what was sent under its id before,
   * delivered or not. Absent: it is due at once, and is the only one of its id.
   */
  readonly debounceMs?: number
}

/** As it is lent to whoever delivers it. */
export interface OutboxMessage extends Omit<OutboxEntry, 'debounceMs'> {
  readonly tenant: string
  readonly thread: string
  readonly run: string
  /** Whose handlers deliver it. */
  readonly graph: string
  /** Which attempt this is, from 1. */
  readonly attempt: number
  /** ISO 8601. */
  readonly createdAt: string
}

/** Every method throws as the `Checkpointer` does. */
export interface Outbox {
  /** Lends messages that are due, those that have waited longest first. What is not settled within `leaseMs` is due again. */
  take(request: TakeMessages): Promise<readonly OutboxMessage[]>
  /** False: it is settled already, or another attempt has begun since. */
  settle(
    message: { readonly tenant: string; readonly id: string; readonly token: string },
    fate: Fate,
  ): Promise<boolean>
  /** Deletes what the threads of a person have sent, also what is still to be delivered, and of threads that are gone. */
  forget(tenant: string, owner: string): Promise<void>
  /** Forgets what was settled longer ago. */
  purge(settledForMs: number): Promise<void>
}

export interface TakeMessages {
  readonly graphs: readonly string[]
  /** `null`: of all runs. */
  readonly run: { readonly tenant: string; readonly run: string } | null
  /** Random, this attempt's own. */
  readonly token: string
  readonly limit: number
  readonly leaseMs: number
}

/** `pending`: due again in `dueInMs`. `error`: in our own words, without the payload. */
export type Fate =
  | { readonly status: 'delivered' }
  | { readonly status: 'pending'; readonly dueInMs: number; readonly error: string }
  | { readonly status: 'failed'; readonly error: string }
