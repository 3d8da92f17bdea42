// Threads in the memory of one process: for tests, examples and programs that need no durability.
import type { Chain, LoadChain, SnapshotPut, StepRecord } from '../../ports/chains.ts'
import type { Checkpointer, ThreadKey } from '../../ports/checkpointer.ts'
import type { Holding } from '../../ports/store.ts'
import { attachSnapshot, chain } from './branch.ts'
import { MemoryClaims } from './claims.ts'
import { MemoryCommits } from './commits.ts'
import { MemoryDatabase } from './database.ts'

export interface MemoryOptions {
  /** Milliseconds since 1970; for tests of what time does. */
  readonly now?: () => number
}

/** Of the threads that a `memoryStore` asks of. */
export interface MemoryCheckpointer extends Checkpointer {
  /** Whether a run may still remember something: not when its thread was deleted, or another worker has taken it over. */
  runHolds(tenant: string, claim: NonNullable<Holding['claim']>): boolean
}

/** Everything is lost with the process. One instance is one database. */
export function memoryCheckpointer({ now = () => Date.now() }: MemoryOptions = {}): MemoryCheckpointer {
  const database = new MemoryDatabase(now)
  const claims = new MemoryClaims(database)
  const commits = new MemoryCommits(database)
  const { threads, runs, outbox, approvals, webhooks } = database
  return {
    beginTurn: async (begin) => claims.begin(begin),
    cancelRun: async (request) => claims.cancel(request),
    renewLease: async (claim, leaseMs) => claims.renew(claim, leaseMs),
    releaseTurn: async (claim, saved) => claims.release(claim, saved),
    abandonTurn: async (attempt) => claims.abandon(attempt),
    commitStep: async (commit) => commits.commit(commit),
    saveTask: async (claim, part) => commits.saveTask(claim, part),
    loadChain: async (load) => loadChain(database, load),
    loadStep: async (key) => loadStep(database, key),
    putSnapshot: async (snapshot) => putSnapshot(database, snapshot),
    orphans: async (search) => runs.orphans(search),
    giveUpRuns: async (of) => runs.giveUp(of),
    runHolds: (tenant, { thread, token }) => threads.find({ tenant, thread })?.lease?.token === token,
    ...{ threads, runs, outbox, approvals, webhooks },
  }
}

function loadChain({ threads, approvals }: MemoryDatabase, load: LoadChain): Chain | undefined {
  const thread = threads.owned(load)
  if (thread === undefined) return undefined
  const { head } = thread.record
  const asked = approvals.open(load.tenant, load.thread)
  return { head, frames: chain(thread, load.seq ?? head, load.count), asked }
}

function loadStep({ threads, approvals }: MemoryDatabase, key: ThreadKey & { seq: number }): StepRecord | undefined {
  const thread = threads.owned(key)
  const checkpoint = key.seq > 0 ? thread?.checkpoints[key.seq] : undefined
  if (thread === undefined || checkpoint === undefined) return undefined
  const { seen, step, run, parent } = checkpoint
  // A run that failed may have asked what this one took.
  const before = thread.checkpoints[parent]?.run
  const branched = thread.checkpoints.some((other) => other?.parent === parent && other.run === before)
  const asked = approvals.asked(key.tenant, key.thread).filter(({ record, used }) => {
    const theirs = record.run === before && used && !branched
    return step > 0 && record.seq === parent && (record.run === run || theirs)
  })
  return { seen, approvals: asked.map(({ record }) => record) }
}

function putSnapshot({ threads }: MemoryDatabase, { seq, hash, text, ...place }: SnapshotPut): void {
  const thread = threads.find(place)
  const checkpoint = seq > 0 ? thread?.checkpoints[seq] : undefined
  if (thread === undefined || checkpoint?.hash !== hash || checkpoint.snapshot !== undefined) return
  attachSnapshot(thread, checkpoint, text)
}
