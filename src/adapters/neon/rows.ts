// What the SQL functions give back, and what the port makes of it.
import type { ApprovalRecord } from '../../ports/approvals.ts'
import type { Chain, Frame } from '../../ports/chains.ts'
import type { Answer, ClaimedTurn, SavedTask } from '../../ports/checkpointer.ts'
import type { RunError, RunRecord } from '../../ports/run-records.ts'
import type { ThreadRecord } from '../../ports/thread-records.ts'
import { metadataOf } from './metadata.ts'

/** `[seq, parent, hash, run, step, created_at, 's' or 'd', text, updated]` */
export type FrameRow = readonly [number, number, string, string, number, string, 's' | 'd', string, boolean]

export interface ChainRow {
  readonly head: number
  readonly frames: readonly FrameRow[] | null
  readonly asked: readonly ApprovalRecord[] | null
}

export interface StepRow {
  readonly seen: string | null
  readonly approvals: readonly ApprovalRecord[] | null
}

export interface ClaimedRow extends Omit<ClaimedTurn, 'frames' | 'saved' | 'answers'> {
  readonly frames: readonly FrameRow[] | null
  readonly answers: readonly Answer[] | null
  readonly saved: readonly SavedTask[] | null
}

/** Times as Postgres words them. */
export type ThreadRow = ThreadRecord

export interface RunRow extends Omit<RunRecord, 'error'> {
  /** JSON. */
  readonly error: string | null
}

export function frameOf([seq, parent, hash, run, step, createdAt, kind, text, updated]: FrameRow): Frame {
  const content = { kind: kind === 's' ? 'snapshot' : 'delta', text } as const
  return { seq, parent, hash, run, step, createdAt: isoTime(createdAt), updated, ...content }
}

export function claimOf(row: ClaimedRow): ClaimedTurn {
  return { ...row, frames: row.frames?.map(frameOf) ?? null, saved: row.saved ?? [], answers: row.answers ?? [] }
}

export function chainOf({ head, frames, asked }: ChainRow): Chain {
  return { head, frames: (frames ?? []).map(frameOf), asked: (asked ?? []).map(approvalOf) }
}

export function approvalOf(row: ApprovalRecord): ApprovalRecord {
  const { answeredAt, expiresAt, createdAt } = row
  return {
    ...row,
    answeredAt: answeredAt && isoTime(answeredAt),
    expiresAt: expiresAt && isoTime(expiresAt),
    createdAt: isoTime(createdAt),
  }
}

export function runOf(row: RunRow): RunRecord {
  const error: RunError | null = row.error === null ? null : JSON.parse(row.error)
  return { ...row, error, createdAt: isoTime(row.createdAt), updatedAt: isoTime(row.updatedAt) }
}

export function threadOf(row: ThreadRow): ThreadRecord {
  const { createdAt, updatedAt } = row
  return { ...row, metadata: metadataOf(row.metadata), createdAt: isoTime(createdAt), updatedAt: isoTime(updatedAt) }
}

/** Postgres words a time by its own time zone and to the microsecond. */
export function isoTime(text: string): string {
  return new Date(text).toISOString()
}
