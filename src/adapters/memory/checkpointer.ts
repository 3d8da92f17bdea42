// Threads in the memory of one process: for tests, examples and programs that need no durability. The same outcomes as Postgres, asked in the same order.
import type {
  BeginTurn,
  Chain,
  Checkpointer,
  ClaimRef,
  Frame,
  LoadChain,
  Orphan,
  RunRecord,
  SnapshotPut,
  StepCommit,
  StepOutcome,
  ThreadKey,
  TurnClaim,
} from '../../ports/checkpointer.ts'
import type { StoredCheckpoint, StoredRun, StoredThread, Tables } from './tables.ts'
import { MemoryThreads } from './threads.ts'

export interface MemoryOptions {
  /** Milliseconds since 1970; for tests of what time does. */
  readonly now?: () => number
}

/** Everything is lost with the process. One instance is one database. */
export function memoryCheckpointer({ now = Date.now }: MemoryOptions = {}): Checkpointer {
  return new MemoryCheckpointer(now)
}

class MemoryCheckpointer implements Checkpointer {
  readonly #tables: Tables = { threads: new Map(), runs: new Map() }
  readonly #now: () => number
  readonly threads: MemoryThreads
  readonly runs: Checkpointer['runs']

  constructor(now: () => number) {
    this.#now = now
    this.threads = new MemoryThreads(this.#tables, now)
    this.runs = {
      get: async (key, run) => {
        const found = this.#owned(key) && this.#tables.runs.get(key.tenant)?.get(run)
        return found?.record.thread === key.thread ? found.record : undefined
      },
      list: async (key, { limit, offset }) =>
        (this.#owned(key)?.runs ?? [])
          .map(({ record }) => record)
          .reverse()
          .slice(offset, offset + limit),
    }
  }

  async beginTurn(begin: BeginTurn): Promise<TurnClaim> {
    const thread = this.#owned(begin) ?? (begin.createThread ? this.threads.make(begin) : undefined)
    if (thread === undefined) return { outcome: 'unknown-thread' }
    const { lease } = thread
    const leased = lease !== undefined && lease.untilMs > this.#now()
    if (leased && lease.token === begin.token) return this.#claim(thread, lease.run, begin)
    const mine = begin.run && thread.runs.find(({ key }) => key === begin.run?.key)
    if (mine && mine.bodyHash !== begin.run?.bodyHash) return { outcome: 'key-reused' }
    if (mine && mine.record.status !== 'running') return { outcome: 'ended', run: mine.record }
    if (leased) {
      return { outcome: 'busy', run: lease.run.record.run, retryAfterMs: Math.ceil(lease.untilMs - this.#now()) }
    }
    const orphan = this.#firstDue(thread, begin.maxAttempts)
    if (mine && mine.record.status !== 'running') return { outcome: 'ended', run: mine.record }
    if (orphan !== undefined && orphan.record.graph !== begin.graph) {
      return { outcome: 'busy', run: orphan.record.run, retryAfterMs: 10_000 }
    }
    const due = orphan ?? this.#newRun(thread, begin)
    if (due === undefined) return { outcome: 'nothing-due' }
    thread.epoch++
    thread.lease = { run: due, token: begin.token, untilMs: this.#now() + begin.leaseMs }
    this.#update(due, { attempts: due.record.attempts + 1 })
    this.threads.touch(thread, { status: 'busy', graph: due.record.graph })
    return this.#claim(thread, due, begin)
  }

  async commitStep(commit: StepCommit): Promise<StepOutcome> {
    const thread = this.#tables.threads.get(commit.tenant)?.get(commit.thread)
    const run = this.#tables.runs.get(commit.tenant)?.get(commit.run)
    const commitId = `${commit.step}:${commit.epoch}`
    if (run?.lastCommit === commitId) {
      return { outcome: 'already', head: run.record.answer ?? 0, status: run.record.status }
    }
    if (thread === undefined || run === undefined || run.record.status !== 'running' || !holds(thread, commit)) {
      return { outcome: 'fenced', head: thread?.record.head ?? 0, status: run?.record.status ?? 'cancelled' }
    }
    const createdAt = new Date(this.#now()).toISOString()
    let head = thread.record.head
    for (const { step, hash, delta } of commit.checkpoints) {
      const seq = thread.checkpoints.length
      const parent = thread.checkpoints[head]
      const chainBytes = (parent?.snapshot === undefined ? (parent?.chainBytes ?? 0) : 0) + delta.length
      const baseBytes = parent?.snapshot?.length ?? parent?.baseBytes ?? 0
      thread.checkpoints.push({
        seq,
        parent: head,
        run: commit.run,
        step,
        hash,
        delta,
        createdAt,
        snapshot: undefined,
        chainBytes,
        baseBytes,
      })
      thread.headHash = hash
      head = seq
    }
    const ends = commit.status !== 'running'
    thread.lease =
      ends || thread.lease === undefined ? undefined : { ...thread.lease, untilMs: this.#now() + commit.leaseMs }
    this.threads.touch(thread, { head, status: ends ? (commit.status === 'error' ? 'error' : 'idle') : 'busy' })
    run.lastCommit = commitId
    if (commit.checkpoints.length > 0) run.input = null
    this.#update(run, { step: commit.step, status: commit.status, error: commit.error, attempts: 0, answer: head })
    return { outcome: 'applied', head, status: commit.status }
  }

  async renewLease(claim: ClaimRef, leaseMs: number): Promise<boolean> {
    const thread = this.#tables.threads.get(claim.tenant)?.get(claim.thread)
    if (thread?.lease === undefined || !holdsLease(thread, claim)) return false
    thread.lease = { ...thread.lease, untilMs: this.#now() + leaseMs }
    return true
  }

  async releaseTurn(claim: ClaimRef): Promise<void> {
    const thread = this.#tables.threads.get(claim.tenant)?.get(claim.thread)
    if (thread?.lease === undefined || !holdsLease(thread, claim)) return
    const { run } = thread.lease
    thread.lease = undefined
    this.#update(run, { attempts: Math.max(run.record.attempts - 1, 0) })
  }

  async loadChain(load: LoadChain): Promise<Chain | undefined> {
    const thread = this.#owned(load)
    if (thread === undefined) return undefined
    const { head } = thread.record
    return { head, frames: chain(thread, load.seq ?? head, load.count) }
  }

  async putSnapshot({ tenant, thread: id, seq, hash, text }: SnapshotPut): Promise<void> {
    const thread = this.#tables.threads.get(tenant)?.get(id)
    const checkpoint = thread?.checkpoints[seq]
    if (thread === undefined || checkpoint?.hash !== hash || checkpoint.snapshot !== undefined) return
    checkpoint.snapshot = text
    const above = [...branch(thread, thread.record.head)].filter((later) => later.seq > seq)
    if (above.at(-1)?.parent !== seq) return
    for (const later of above) {
      later.chainBytes -= checkpoint.chainBytes
      later.baseBytes = text.length
    }
  }

  async orphans(limit: number): Promise<readonly Orphan[]> {
    const found: Orphan[] = []
    for (const [tenant, runs] of this.#tables.runs) {
      for (const { record } of runs.values()) {
        const lease = this.#tables.threads.get(tenant)?.get(record.thread)?.lease
        const held = lease !== undefined && lease.untilMs > this.#now()
        if (record.status === 'running' && !held)
          found.push({ tenant, thread: record.thread, run: record.run, graph: record.graph })
      }
    }
    return found.slice(0, limit)
  }

  #owned({ tenant, thread: id, owner }: ThreadKey): StoredThread | undefined {
    const thread = this.#tables.threads.get(tenant)?.get(id)
    return thread !== undefined && (owner === null || thread.record.owner === owner) ? thread : undefined
  }

  #firstDue(thread: StoredThread, maxAttempts: number): StoredRun | undefined {
    for (const run of thread.runs) {
      if (run.record.status !== 'running') continue
      if (run.record.attempts < maxAttempts) return run
      const message = `The run was started ${run.record.attempts} times and never got to a commit; it is not tried again. Its input is kept with the run.`
      this.#update(run, { status: 'dead', error: { code: 'run_failed', message } })
      this.threads.touch(thread, { status: 'error' })
    }
    return undefined
  }

  #newRun(thread: StoredThread, { tenant, run, graph }: BeginTurn): StoredRun | undefined {
    if (run === null) return undefined
    const createdAt = new Date(this.#now()).toISOString()
    const record: RunRecord = {
      run: run.run,
      thread: thread.record.thread,
      graph,
      status: 'running',
      step: 0,
      attempts: 0,
      answer: null,
      error: null,
      createdAt,
      updatedAt: createdAt,
    }
    const stored: StoredRun = { record, key: run.key, bodyHash: run.bodyHash, input: run.input, lastCommit: undefined }
    thread.runs.push(stored)
    const runs = this.#tables.runs.get(tenant) ?? new Map<string, StoredRun>()
    this.#tables.runs.set(tenant, runs.set(run.run, stored))
    return stored
  }

  #update(run: StoredRun, change: Partial<RunRecord>): void {
    run.record = { ...run.record, ...change, updatedAt: new Date(this.#now()).toISOString() }
  }

  #claim(thread: StoredThread, { record, key, input }: StoredRun, begin: BeginTurn): TurnClaim {
    const { head, owner } = thread.record
    const { chainBytes = 0, baseBytes = 0 } = thread.checkpoints[head] ?? {}
    return {
      outcome: 'claimed',
      run: record.run,
      mine: begin.run?.key === key,
      graph: record.graph,
      owner,
      epoch: thread.epoch,
      head,
      hash: thread.headHash,
      lastSeq: thread.checkpoints.length - 1,
      step: record.step,
      input,
      attempts: record.attempts,
      chainBytes,
      baseBytes,
      frames: chainBytes + baseBytes <= begin.inlineBytes ? chain(thread, head, 1) : null,
    }
  }
}

function holdsLease({ epoch, lease }: StoredThread, claim: ClaimRef): boolean {
  return (
    lease !== undefined && epoch === claim.epoch && lease.run.record.run === claim.run && lease.token === claim.token
  )
}

function holds(thread: StoredThread, commit: StepCommit): boolean {
  return holdsLease(thread, commit) && thread.record.head === commit.head && thread.headHash === commit.hash
}

/** A checkpoint and those before it, newest first. Checkpoint 0 is a place holder: the thread before its first. */
function* branch(thread: StoredThread, seq: number): Generator<StoredCheckpoint> {
  for (let at = seq; at > 0; ) {
    const checkpoint = thread.checkpoints[at]
    if (checkpoint === undefined) return
    yield checkpoint
    at = checkpoint.parent
  }
}

/** Down to the first snapshot at or below the `count`th, or to the root; oldest first. */
function chain(thread: StoredThread, seq: number, count: number): Frame[] {
  const frames: Frame[] = []
  for (const checkpoint of branch(thread, seq)) {
    const { parent, run, step, hash, createdAt, delta, snapshot } = checkpoint
    const based = snapshot !== undefined && frames.length + 1 >= count
    const content = based
      ? ({ kind: 'snapshot', text: snapshot ?? '' } as const)
      : ({ kind: 'delta', text: delta } as const)
    frames.push({ seq: checkpoint.seq, parent, hash, run, step, createdAt, ...content })
    if (based) break
  }
  return frames.reverse()
}
