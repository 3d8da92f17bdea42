// Threads in Postgres, over Neon's HTTP protocol. The rules are in schema.sql, under the row lock; this file only asks.
import type {
  AbandonedTurn,
  BeginTurn,
  Chain,
  Checkpointer,
  ClaimRef,
  LoadChain,
  Orphan,
  SnapshotPut,
  StepCommit,
  StepOutcome,
  TurnClaim,
} from '../../ports/checkpointer.ts'
import { type Database, database, type Sql } from './database.ts'
import { runRecords, threadRecords } from './records.ts'
import { type ChainRow, chainOf, type FrameRow, frameOf, type RunRow, runOf } from './rows.ts'

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

  constructor(database: Database) {
    this.#database = database
    this.threads = threadRecords(database)
    this.runs = runRecords(database)
  }

  async beginTurn(begin: BeginTurn): Promise<TurnClaim> {
    const { tenant, thread, owner, run, graph, token, leaseMs, inlineBytes, maxAttempts } = begin
    const claim = (await this.#database.call('begin_turn_v1', {
      ...{ tenant, thread, owner, create: begin.createThread },
      ...{ run: run?.run, key: run?.key, bodyHash: run?.bodyHash, graph, input: run?.input, strategy: run?.strategy },
      ...{ token, leaseMs, inlineBytes, maxAttempts },
    })) as ClaimRow
    if (claim.outcome === 'ended') return { outcome: 'ended', run: runOf(claim.run) }
    if (claim.outcome !== 'claimed') return claim
    return { ...claim, frames: claim.frames?.map(frameOf) ?? null }
  }

  async commitStep(commit: StepCommit): Promise<StepOutcome> {
    const { tenant, thread, run, epoch, token, head, hash, step, checkpoints, status, error, leaseMs } = commit
    return (await this.#database.call('commit_step_v1', {
      ...{ tenant, thread, run, epoch, token, head, hash, step },
      steps: checkpoints.map((checkpoint) => checkpoint.step),
      hashes: checkpoints.map((checkpoint) => checkpoint.hash),
      deltas: checkpoints.map((checkpoint) => checkpoint.delta),
      ...{ status, error: error && JSON.stringify(error), leaseMs },
    })) as StepOutcome
  }

  async renewLease({ tenant, thread, run, epoch, token }: ClaimRef, leaseMs: number): Promise<boolean> {
    return (await this.#database.call('renew_lease_v1', { tenant, thread, run, epoch, token, leaseMs })) === true
  }

  async releaseTurn({ tenant, thread, run, epoch, token }: ClaimRef): Promise<void> {
    await this.#database.call('release_turn_v1', { tenant, thread, run, epoch, token })
  }

  async abandonTurn({ tenant, thread, token, run }: AbandonedTurn): Promise<void> {
    await this.#database.call('abandon_turn_v1', { tenant, thread, token, run })
  }

  async loadChain({ tenant, thread, owner, seq, count }: LoadChain): Promise<Chain | undefined> {
    const chain = await this.#database.call('load_chain_v1', { tenant, thread, owner, seq, count })
    return chain === null ? undefined : chainOf(chain as ChainRow)
  }

  async putSnapshot({ tenant, thread, seq, hash, text }: SnapshotPut): Promise<void> {
    await this.#database.call('put_snapshot_v1', { tenant, thread, seq, hash, snapshot: text })
  }

  async orphans(limit: number): Promise<readonly Orphan[]> {
    const rows = await this.#database.rows(
      `select r.tenant, r.thread, r.run, r.graph from recollect.runs r
       join recollect.threads t on t.tenant = r.tenant and t.thread = r.thread
       where r.status in ('queued', 'running') and not recollect.attended_v1(r) and (t.lease_until is null or t.lease_until < clock_timestamp())
       order by r.updated_at limit $1`,
      [limit],
    )
    return rows.map(({ tenant, thread, run, graph }) => ({
      tenant: String(tenant),
      thread: String(thread),
      run: String(run),
      graph: String(graph),
    }))
  }
}

type ClaimRow =
  | (Omit<Extract<TurnClaim, { outcome: 'claimed' }>, 'frames'> & { readonly frames: readonly FrameRow[] | null })
  | { readonly outcome: 'ended'; readonly run: RunRow }
  | Exclude<TurnClaim, { outcome: 'claimed' | 'ended' }>
