// The rows of the in-memory database.

import type { ApprovalAttempt, ApprovalRecord } from '../../ports/approvals.ts'
import type { RunKind, SavedTask } from '../../ports/checkpointer.ts'
import type { OutboxMessage } from '../../ports/outbox.ts'
import type { RunRecord } from '../../ports/run-records.ts'
import type { ThreadRecord } from '../../ports/thread-records.ts'
import type { WebhookDelivery, WebhookEndpoint, WebhookKey } from '../../ports/webhooks.ts'

export interface Tables {
  /** Tenant → thread. */
  readonly threads: Map<string, Map<string, StoredThread>>
  /** Tenant → run. */
  readonly runs: Map<string, Map<string, StoredRun>>
  /** In the order they were sent. */
  readonly messages: Set<StoredMessage>
  /** In the order they were asked. */
  readonly approvals: Set<StoredApproval>
  /** Tenant and id of webhooks that were accepted → the approval that they answered, and when. */
  readonly webhooks: Map<string, { readonly approval: StoredApproval; readonly atMs: number }>
  /** In the order they were made. */
  readonly endpoints: Set<StoredEndpoint>
  readonly webhookKeys: Set<WebhookKey & { readonly tenant: string }>
  /** In the order they were made. */
  readonly deliveries: Set<WebhookDelivery & { readonly tenant: string; readonly endpoint: string }>
}

export interface StoredThread {
  readonly tenant: string
  record: ThreadRecord
  headHash: string
  epoch: number
  lease: { readonly run: StoredRun; readonly token: string; readonly untilMs: number } | undefined
  /** By seq; the first is a place holder. */
  readonly checkpoints: StoredCheckpoint[]
  /** In order of their tickets. */
  readonly runs: StoredRun[]
  /** What tasks of an unfinished superstep have given. */
  saved: readonly StoredSave[]
  ttlMs: number | undefined
  expiresAtMs: number | undefined
}

export interface StoredSave extends SavedTask {
  readonly run: string
  readonly step: number
}

export interface StoredRun {
  record: RunRecord
  readonly key: string
  readonly bodyHash: string
  input: string | null
  /** Inputs of runs that it interrupted. */
  carried: readonly string[]
  /** The head that it began on. */
  base: number | undefined
  /** When whoever waits for it means to ask again, in milliseconds. */
  asksAtMs: number
  lastCommit: string | undefined
  cancelAsked: boolean
  readonly kind: RunKind
  readonly forkFrom: number | undefined
  readonly stops: readonly string[]
}

export interface StoredApproval {
  readonly tenant: string
  record: ApprovalRecord
  readonly superstep: { readonly run: string; readonly step: number }
  readonly task: number
  readonly key: string
  readonly expiresAtMs: number | undefined
  answerToken: string | undefined
  used: boolean
  readonly attempts: ApprovalAttempt[]
}

export interface StoredEndpoint {
  readonly tenant: string
  record: Omit<WebhookEndpoint, 'secrets'>
  /** Newest first. */
  secrets: readonly { readonly sealed: string; readonly untilMs: number }[]
}

export interface StoredMessage {
  message: OutboxMessage
  /** Of a webhook. */
  readonly endpoint?: StoredEndpoint
  /** Of the thread, which may be gone before it. */
  readonly owner: string | undefined
  status: 'pending' | 'delivered' | 'failed'
  dueAtMs: number
  settledAtMs: number | undefined
  token: string | undefined
}

export interface StoredCheckpoint {
  readonly seq: number
  readonly parent: number
  readonly run: string
  readonly step: number
  readonly hash: string
  readonly delta: string
  readonly seen: string | null
  readonly updated: boolean
  readonly createdAt: string
  snapshot: string | undefined
  /** Deltas since the nearest snapshot above, this one's included. */
  chainBytes: number
  /** That snapshot. */
  baseBytes: number
}

export function isLive({ record }: StoredRun): boolean {
  return record.status === 'queued' || record.status === 'running'
}

export const rootCheckpoint: StoredCheckpoint = {
  seq: 0,
  parent: 0,
  run: '',
  step: 0,
  hash: '',
  delta: '',
  seen: null,
  updated: false,
  createdAt: '',
  snapshot: undefined,
  chainBytes: 0,
  baseBytes: 0,
}

/** What a question is beside what is shown, when it is asked. */
export function unanswered(
  { record: { thread, owner: requester, head: seq } }: StoredThread,
  { record: { run, graph } }: StoredRun,
  { expiresAtMs, nowMs }: { readonly expiresAtMs: number | undefined; readonly nowMs: number },
) {
  return {
    ...{ thread, run, graph, requester, seq, status: 'pending' as const },
    ...{ answer: null, answeredBy: null, answeredVia: null, answeredAt: null },
    expiresAt: expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString(),
    createdAt: new Date(nowMs).toISOString(),
  }
}
