// Threads in Postgres, over Neon's HTTP protocol. The rules are in schema.sql, under the row lock; this file only asks.

import type { Chain, LoadChain, SnapshotPut, StepRecord } from '../../ports/chains.ts'
import type {
  AbandonedTurn,
  BeginTurn,
  Cancellation,
  CancelRun,
  Checkpointer,
  ClaimRef,
  Orphan,
  SavedTask,
  StepCommit,
  StepOutcome,
  ThreadKey,
  TurnClaim,
} from '../../ports/checkpointer.ts'
import { neonApprovals } from './approvals.ts'
import { type Database, database, type Sql } from './database.ts'
import { neonOutbox } from './outbox.ts'
import { runRecords, threadRecords } from './records.ts'
import {
  approvalOf,
  type ChainRow,
  type ClaimedRow,
  chainOf,
  claimOf,
  type RunRow,
  runOf,
  type StepRow,
} from './rows.ts'
import { neonWebhooks } from './webhooks.ts'

/**
 * `neonCheckpointer(neon(env.DATABASE_URL))`. Needs the tables of `schema.sql` (`npm run migrate`); without them every call
 * throws `schema_outdated`. Safe at module scope: it keeps no connection.
 */
export function neonCheckpointer(sql: Sql): Checkpointer {
  return new NeonCheckpointer(database(sql))
}

class NeonCheckpointer implements Checkpointer {
  readonly #database: Database
  readonly threads: Checkpointer['threads']
  readonly runs: Checkpointer['runs']
  readonly outbox: Checkpointer['outbox']
  readonly approvals: Checkpointer['approvals']
  readonly webhooks: Checkpointer['webhooks']

  constructor(database: Database) {
    this.#database = database
    this.outbox = neonOutbox(database)
    this.approvals = neonApprovals(database)
    this.webhooks = neonWebhooks(database)
    this.threads = threadRecords(database)
    this.runs = runRecords(database)
  }

  async beginTurn(begin: BeginTurn): Promise<TurnClaim> {
    const { tenant, thread, owner, run, graph, token, leaseMs, inlineBytes, maxAttempts } = begin
    const claim = (await this.#database.call('begin_turn_v2', {
      ...{ tenant, thread, owner, create: begin.createThread, ttlMs: begin.threadTtlMs },
      ...{
        run: run?.run,
        key: run?.key,
        bodyHash: run?.bodyHash,
        graph,
        kind: run?.kind ?? 'input',
        input: run?.input,
      },
      ...{ forkFrom: run?.forkFrom, stops: run?.stops, strategy: run?.strategy },
      ...{ token, leaseMs, inlineBytes, maxAttempts },
    })) as ClaimRow
    if (claim.outcome === 'ended') return { outcome: 'ended', run: runOf(claim.run) }
    if (claim.outcome === 'waiting') return { outcome: 'waiting', run: runOf(claim.run) }
    return claim.outcome === 'claimed' ? claimOf(claim) : claim
  }

  async cancelRun({ tenant, thread, owner, run, token, leaseMs, inlineBytes }: CancelRun): Promise<Cancellation> {
    const parameters = { tenant, thread, owner, run, token, leaseMs, inlineBytes }
    const cancelled = (await this.#database.call('cancel_run_v1', parameters)) as CancellationRow
    if (cancelled.outcome === 'ended') return { outcome: 'ended', run: runOf(cancelled.run) }
    return cancelled.outcome === 'claimed' ? claimOf(cancelled) : cancelled
  }

  async commitStep(commit: StepCommit): Promise<StepOutcome> {
    const { tenant, thread, run, epoch, token, head, hash, step, checkpoints, status, error, leaseMs } = commit
    const { saved, messages, questions } = commit
    return (await this.#database.call('commit_step_v2', {
      ...{ tenant, thread, run, epoch, token, head, hash, step },
      steps: checkpoints.map((checkpoint) => checkpoint.step),
      hashes: checkpoints.map((checkpoint) => checkpoint.hash),
      deltas: checkpoints.map((checkpoint) => checkpoint.delta),
      seens: checkpoints.map((checkpoint) => checkpoint.seen),
      ...{ status, error: error && JSON.stringify(error), leaseMs },
      ...savedColumns(saved),
      messageIds: messages.map(({ id }) => id),
      messageTopics: messages.map(({ topic }) => topic),
      messagePayloads: messages.map(({ payload }) => payload),
      messageDebounces: messages.map(({ debounceMs = null }) => debounceMs),
      questions: JSON.stringify(questions),
    })) as StepOutcome
  }

  async saveTask({ tenant, thread, run, epoch, token }: ClaimRef, part: SavedTask): Promise<string | undefined> {
    const { task, key, value } = part
    const parameters = { tenant, thread, run, epoch, token, task, key, value }
    const kept = (await this.#database.call('save_task_v1', parameters)) as { readonly value?: string }
    return kept.value
  }

  async renewLease({ tenant, thread, run, epoch, token }: ClaimRef, leaseMs: number) {
    const parameters = { tenant, thread, run, epoch, token, leaseMs }
    return (await this.#database.call('renew_lease_v2', parameters)) as 'held' | 'fenced' | 'cancelled'
  }

  async releaseTurn({ tenant, thread, run, epoch, token }: ClaimRef, saved: readonly SavedTask[]): Promise<void> {
    const parameters = { tenant, thread, run, epoch, token, ...savedColumns(saved) }
    await this.#database.call('release_turn_v2', parameters)
  }

  async abandonTurn({ tenant, thread, token, run }: AbandonedTurn): Promise<void> {
    await this.#database.call('abandon_turn_v1', { tenant, thread, token, run })
  }

  async loadChain({ tenant, thread, owner, seq, count }: LoadChain): Promise<Chain | undefined> {
    const chain = await this.#database.call('load_chain_v1', { tenant, thread, owner, seq, count })
    return chain === null ? undefined : chainOf(chain as ChainRow)
  }

  async loadStep({ tenant, thread, owner, seq }: ThreadKey & { seq: number }): Promise<StepRecord | undefined> {
    const step = (await this.#database.call('load_step_v1', { tenant, thread, owner, seq })) as StepRow | null
    return step === null ? undefined : { seen: step.seen, approvals: (step.approvals ?? []).map(approvalOf) }
  }

  async putSnapshot({ tenant, thread, seq, hash, text }: SnapshotPut): Promise<void> {
    await this.#database.call('put_snapshot_v1', { tenant, thread, seq, hash, snapshot: text })
  }

  async giveUpRuns(of: { graphsOtherThan: readonly string[]; olderThanMs: number }): Promise<number> {
    const parameters = { graphs: of.graphsOtherThan, olderThanMs: of.olderThanMs }
    return Number(await this.#database.call('give_up_runs_v1', parameters))
  }

  async orphans({ graphs, limit }: { graphs: readonly string[]; limit: number }): Promise<readonly Orphan[]> {
    const rows = await this.#database.rows(
      `select r.tenant, r.thread, r.run, r.graph from recollect.runs r
       where r.status in ('queued', 'running') and r.graph = any($1) and recollect.orphaned_v1(r)
       order by r.updated_at limit $2`,
      [graphs, limit],
    )
    return rows.map(({ tenant, thread, run, graph }) => ({
      tenant: String(tenant),
      thread: String(thread),
      run: String(run),
      graph: String(graph),
    }))
  }
}

function savedColumns(saved: readonly SavedTask[]) {
  return { savedTasks: saved.map(({ task }) => task), savedValues: saved.map(({ value }) => value) }
}

type ClaimRow =
  | ClaimedRow
  | { readonly outcome: 'ended'; readonly run: RunRow }
  | { readonly outcome: 'waiting'; readonly run: RunRow }
  | Exclude<TurnClaim, { outcome: 'claimed' | 'ended' | 'waiting' }>

type CancellationRow =
  | ClaimedRow
  | { readonly outcome: 'ended'; readonly run: RunRow }
  | Exclude<Cancellation, { outcome: 'claimed' | 'ended' }>
