// The port to what remembers threads: the truth, under a row lock, by compare-and-set of epoch, head and hash.
import type { Approvals, Question } from './approvals.ts'
import type { Chain, Frame, LoadChain, NewCheckpoint, SnapshotPut, StepRecord } from './chains.ts'
import type { Outbox, OutboxEntry } from './outbox.ts'
import type { RunError, RunRecord, RunRecords, RunStatus } from './run-records.ts'
import type { ThreadRecords } from './thread-records.ts'
import type { Webhooks } from './webhooks.ts'

/**
 * Every method throws `storage_unavailable` when the outcome is unknown or the service is away, `storage_failed` when it refused, and
 * `schema_outdated` when it is older than this version.
 */
export interface Checkpointer {
  /**
   * Owner, idempotency, admission and claim, in one statement. Sent again with the same token it finds its own claim.
   * Never throws for an outcome: those are data.
   */
  beginTurn(request: BeginTurn): Promise<TurnClaim>
  /** Writes a superstep's checkpoints and the run's status, in one statement. May be sent again unchanged. */
  commitStep(step: StepCommit): Promise<StepOutcome>
  /** Prolongs the lease. Unless it is held, the claim is lost, and whoever had it must stop. */
  renewLease(claim: ClaimRef, leaseMs: number): Promise<'held' | 'fenced' | 'cancelled'>
  /** Gives the claim back without a result: the run stays due and the attempt does not count. `saved` is kept for whoever goes on. */
  releaseTurn(claim: ClaimRef, saved: readonly SavedTask[]): Promise<void>
  /**
   * Keeps what a part of a task gave before its superstep is committed, until it is. Gives what is kept: the first value
   * under the key. `undefined`: the claim is lost.
   */
  saveTask(claim: ClaimRef, part: SavedTask): Promise<string | undefined>
  /**
   * Ends a run that waits in line; takes one that was begun from whoever has it, and hands it over to be ended. In one
   * statement; sent again with the same token it finds its own claim.
   */
  cancelRun(request: CancelRun): Promise<Cancellation>
  /**
   * Takes back whatever has landed of a `beginTurn` that was given up. `run`: the run that it would have made, which leaves no
   * row; `null` when it was kept before.
   */
  abandonTurn(attempt: AbandonedTurn): Promise<void>
  /** One branch of checkpoints, in one statement. `undefined`: no such thread, not this owner's, or no such checkpoint. */
  loadChain(request: LoadChain): Promise<Chain | undefined>
  /** In one statement. `undefined`: no such thread, not this owner's, or no such checkpoint. */
  loadStep(request: ThreadKey & { readonly seq: number }): Promise<StepRecord | undefined>
  /** Attaches the state to a checkpoint that has none; a no-op when the hash differs. */
  putSnapshot(snapshot: SnapshotPut): Promise<void>
  /** Runs of these graphs that nobody works on or waits for, of all tenants, oldest first. */
  orphans(search: { readonly graphs: readonly string[]; readonly limit: number }): Promise<readonly Orphan[]>
  /** Ends runs of all other graphs that have been due for longer than `olderThanMs`. Gives how many. */
  giveUpRuns(of: { readonly graphsOtherThan: readonly string[]; readonly olderThanMs: number }): Promise<number>
  readonly outbox: Outbox
  readonly approvals: Approvals
  readonly webhooks: Webhooks
  readonly threads: ThreadRecords
  readonly runs: RunRecords
}

/** Owner `null`: any owner of the tenant (scope `operate`). */
export interface ThreadKey {
  readonly tenant: string
  readonly thread: string
  readonly owner: string | null
}

export interface BeginTurn extends ThreadKey {
  /** `null`: only take over a run whose worker is gone. */
  readonly run: NewRun | null
  /** The worker's graph: it takes over runs of this one only. */
  readonly graph: string
  /** Random, this worker's own: it finds its claim again by it. */
  readonly token: string
  readonly leaseMs: number
  /** Makes a thread that does not exist; else that is `unknown-thread`. */
  readonly createThread: boolean
  /** Of a thread that this makes; `null`: it lives until it is deleted. */
  readonly threadTtlMs: number | null
  /** A chain of at most so many bytes comes with the claim. */
  readonly inlineBytes: number
  /** A run claimed so often without a commit is dead. */
  readonly maxAttempts: number
}

export interface NewRun {
  readonly run: string
  /** Idempotency key, unique in the thread. */
  readonly key: string
  /** Of the request; another body under the same key is refused. */
  readonly bodyHash: string
  /** `input` unless told otherwise. */
  readonly kind?: RunKind
  /** Encoded. Kept until the first commit. */
  readonly input: string
  /** The checkpoint that it begins at, in the place of the head. */
  readonly forkFrom?: number
  /** Where it waits by itself, as `before:node` or `after:node`, with `*` for every node. */
  readonly stops?: readonly string[]
  readonly strategy: BusyStrategy
}

/** What a run's input is: values from outside, or writes of a node, after which it goes on (`command`) or ends (`update`). */
export type RunKind = 'input' | 'command' | 'update'

/**
 * What becomes of a run on a thread that has another: it is refused; or waits for its turn; or ends the others, keeping what
 * they did (`interrupt`) or putting the head back to where they began (`rollback`). A run that waits for answers is another too.
 */
export type BusyStrategy = 'reject' | 'enqueue' | 'interrupt' | 'rollback'

export type TurnClaim =
  | ClaimedTurn
  /** Or it waits for answers. */
  | { readonly outcome: 'ended'; readonly run: RunRecord }
  /** For answers to what this run has asked; it owns the head. */
  | { readonly outcome: 'waiting'; readonly run: RunRecord }
  | { readonly outcome: 'unknown-checkpoint' }
  /** `run`: the one that holds the thread, or is due before. */
  | { readonly outcome: 'busy'; readonly retryAfterMs: number; readonly run: string }
  /** Kept, and not yet due. Asked again with the same key it is found again; not asked for a while, it is anybody's. */
  | { readonly outcome: 'queued'; readonly run: string; readonly ahead: number }
  /** By another body; or the tenant has another run of this id. */
  | { readonly outcome: 'key-reused' }
  /** Or it is of another owner. */
  | { readonly outcome: 'unknown-thread' }
  | { readonly outcome: 'nothing-due' }

export interface ClaimedTurn {
  readonly outcome: 'claimed'
  /** The run to work on: the one asked for, or an older one whose worker is gone. */
  readonly run: string
  /** Whether it is the one that was asked for. */
  readonly mine: boolean
  readonly graph: string
  readonly owner: string
  /** Higher with each change of whoever may commit. */
  readonly epoch: number
  /** Number and hash of the checkpoint to go on from; 0 and '' for none. */
  readonly head: number
  readonly hash: string
  /** The highest number that the thread has given. */
  readonly lastSeq: number
  /** Supersteps committed so far. */
  readonly step: number
  readonly kind: RunKind
  /** Absent after the first commit. */
  readonly input: string | null
  readonly stops: readonly string[]
  /** Encoded inputs of runs of the same graph that this one interrupted, to be applied before its own. */
  readonly carried: readonly string[]
  /** Claims since the last commit, this one included. */
  readonly attempts: number
  /** Somebody asked to cancel it: it is to be ended and not to be run. */
  readonly cancelled: boolean
  /** What the next superstep is known by, whoever works on it: of a run that only continues a failed one, that one's. */
  readonly superstep: { readonly run: string; readonly step: number }
  /** What tasks of that superstep have given already. */
  readonly saved: readonly SavedTask[]
  /** What they have asked, and what they were answered. */
  readonly answers: readonly Answer[]
  /** Bytes of deltas since the nearest snapshot above the head, and of that snapshot. */
  readonly chainBytes: number
  readonly baseBytes: number
  /** The head's chain, when it is small enough to come along; `null`: `loadChain` has it. */
  readonly frames: readonly Frame[] | null
}

/** What a worker shows to write: it holds as long as the thread has this epoch and token. */
export interface ClaimRef {
  readonly tenant: string
  readonly thread: string
  readonly run: string
  readonly epoch: number
  readonly token: string
}

/** What a task has given before its superstep is committed. */
export interface SavedTask {
  /** Its place in task order. */
  readonly task: number
  /** '' for what the task wrote when it finished; else the key of a part of it. */
  readonly key: string
  /** Encoded. */
  readonly value: string
}

/** A question that was asked in the superstep to come, and what became of it. */
export interface Answer extends Pick<Question, 'id' | 'task' | 'node' | 'key' | 'kind' | 'payload'> {
  readonly status: 'pending' | 'answered' | 'expired'
  /** Encoded; `null` unless answered. */
  readonly answer: string | null
}

export interface CancelRun extends ThreadKey {
  readonly run: string
  readonly token: string
  readonly leaseMs: number
  readonly inlineBytes: number
}

export type Cancellation =
  /** Of the run to be ended. */
  | ClaimedTurn
  /** By this, or before. */
  | { readonly outcome: 'ended'; readonly run: RunRecord }
  | { readonly outcome: 'unknown-thread' }
  | { readonly outcome: 'unknown-run' }

export interface AbandonedTurn {
  readonly tenant: string
  readonly thread: string
  readonly token: string
  readonly run: string | null
}

export interface StepCommit extends ClaimRef {
  /** The head this step was computed from. */
  readonly head: number
  readonly hash: string
  readonly step: number
  /** In order, each the child of the one before; none for a step that only ends the run. */
  readonly checkpoints: readonly NewCheckpoint[]
  /** `waiting`: its superstep is suspended, and not taken. */
  readonly status: 'running' | 'success' | 'error' | 'cancelled' | 'waiting'
  /** Why the run failed. */
  readonly error: RunError | null
  /** What tasks of a failed or suspended superstep wrote that have finished: whoever goes on from here does not run them again. */
  readonly saved: readonly SavedTask[]
  /** What the superstep sends, on its way with the commit. */
  readonly messages: readonly OutboxEntry[]
  /** What its tasks ask. */
  readonly questions: readonly Question[]
  readonly leaseMs: number
}

/** `already`: this very commit landed before. `fenced`: somebody else holds the thread, or its head has moved; `status` is then the run's, `cancelled` also where that was only asked for. */
export interface StepOutcome {
  readonly outcome: 'applied' | 'already' | 'fenced'
  readonly head: number
  readonly status: RunStatus
  /** How many webhooks were put in the outbox with it; none unless told. */
  readonly announced?: number
}

/** A run that is due, and that nobody works on or waits for. */
export interface Orphan {
  readonly tenant: string
  readonly thread: string
  readonly run: string
  readonly graph: string
}
