// Checkpoints on their way into a thread and back.
import type { ApprovalRecord } from './approvals.ts'
import type { ThreadKey } from './checkpointer.ts'

export interface NewCheckpoint {
  /** Superstep in the run; 0 is the input. */
  readonly step: number
  /** Of the parent's hash and the delta. */
  readonly hash: string
  /** Encoded: what differs from the parent. */
  readonly delta: string
  /** What its model calls saw. Never part of the state: nothing is planned by it. `null`: there were none. */
  readonly seen: string | null
}

/** A stored checkpoint on its way to a reader. Oldest first in a chain; the first one carries a snapshot, or has no parent. */
export interface Frame {
  /** Its number in the thread, from 1: as text its public id. */
  readonly seq: number
  /** 0: the thread's first. */
  readonly parent: number
  readonly hash: string
  readonly run: string
  readonly step: number
  /** Whether an update from outside wrote it. */
  readonly updated: boolean
  /** ISO 8601. */
  readonly createdAt: string
  readonly kind: 'delta' | 'snapshot'
  /** Encoded: what differs from the parent, or the whole state. */
  readonly text: string
}

export interface LoadChain extends ThreadKey {
  /** `null`: the head. */
  readonly seq: number | null
  /** At least so many checkpoints, newest included, if the branch has them. */
  readonly count: number
}

export interface Chain {
  /** The thread's; 0: it has no checkpoint. */
  readonly head: number
  readonly frames: readonly Frame[]
  /** Questions of the thread that nobody has answered, in the order they were asked. */
  readonly asked: readonly ApprovalRecord[]
}

/** What is kept of a checkpoint for whoever asks how it came about. */
export interface StepRecord {
  /** As `NewCheckpoint` has it. */
  readonly seen: string | null
  /** What its superstep asked before it was taken, in the order it was asked, also what nobody answered. */
  readonly approvals: readonly ApprovalRecord[]
}

export interface SnapshotPut {
  readonly tenant: string
  readonly thread: string
  readonly seq: number
  readonly hash: string
  /** Encoded: the whole state. */
  readonly text: string
}
