// Threads in the memory of one process: for tests, examples and programs that need no durability. The same outcomes as Postgres, asked in the same order.
import type {
  AbandonedTurn,
  BeginTurn,
  Cancellation,
  CancelRun,
  Chain,
  Checkpointer,
  ClaimedTurn,
  ClaimRef,
  LoadChain,
  Orphan,
  SavedTask,
  SnapshotPut,
  StepCommit,
  StepOutcome,
  TurnClaim,
} from '../../ports/checkpointer.ts'
import { attachSnapshot, chain, grow } from './branch.ts'
import { MemoryOutbox } from './outbox.ts'
import { MemoryRuns } from './runs.ts'
import { nextSuperstep, save, savedOf } from './saved-tasks.ts'
import { isLive, type StoredRun, type StoredThread, type Tables } from './tables.ts'
import { MemoryThreads } from './threads.ts'

export interface MemoryOptions {
  /** Milliseconds since 1970; for tests of what time does. */
  readonly now?: () => number
}

/** Everything is lost with the process. One instance is one database. */
export function memoryCheckpointer({ now = () => Date.now() }: MemoryOptions = {}): Checkpointer {
  return new MemoryCheckpointer(now)
}

class MemoryCheckpointer implements Checkpointer {
  readonly #now: () => number
  readonly threads: MemoryThreads
  readonly runs: MemoryRuns
  readonly outbox: MemoryOutbox

  constructor(now: () => number) {
    const tables: Tables = { threads: new Map(), runs: new Map(), messages: new Set() }
    this.#now = now
    this.outbox = new MemoryOutbox(tables, now)
    this.threads = new MemoryThreads(tables, this.outbox, now)
    this.runs = new MemoryRuns(tables, this.threads, now)
  }

  async beginTurn(begin: BeginTurn): Promise<TurnClaim> {
    const change = begin.threadTtlMs === null ? {} : { ttlMs: begin.threadTtlMs }
    const thread = this.threads.owned(begin) ?? (begin.createThread ? this.threads.make(begin, change) : undefined)
    if (thread === undefined) return { outcome: 'unknown-thread' }
    const { lease } = thread
    const leased = lease !== undefined && lease.untilMs > this.#now()
    if (leased && lease.token === begin.token) return claimOf(thread, lease.run, begin)
    const known = begin.run && thread.runs.find(({ key }) => key === begin.run?.key)
    if (known && known.bodyHash !== begin.run?.bodyHash) return { outcome: 'key-reused' }
    if (known && !isLive(known)) return { outcome: 'ended', run: this.runs.view(thread, known) }
    return this.#admit(thread, begin, known ?? undefined)
  }

  #admit(thread: StoredThread, begin: BeginTurn, known: StoredRun | undefined): TurnClaim {
    const first = this.runs.firstDue(thread, this.#leaseLeftMs(thread) > 0, begin.maxAttempts)
    if (known && !isLive(known)) return { outcome: 'ended', run: this.runs.view(thread, known) }
    let due = first
    let mine = known
    if (mine === undefined && begin.run !== null && (first === undefined || begin.run.strategy !== 'reject')) {
      mine = this.runs.make(thread, begin, begin.run)
      if (mine === undefined) return { outcome: 'key-reused' }
      const { strategy } = begin.run
      if (strategy === 'interrupt' || strategy === 'rollback') {
        if (first !== undefined) this.runs.supersede(thread, mine, strategy)
        due = mine
      }
    }
    due ??= mine
    if (due === undefined) return { outcome: 'nothing-due' }
    const leaseLeftMs = this.#leaseLeftMs(thread)
    const leased = leaseLeftMs > 0
    const taken = due !== mine && this.runs.attended(due)
    if (leased || taken || due.record.graph !== begin.graph) {
      if (mine !== undefined) return { outcome: 'queued', run: mine.record.run, ahead: this.runs.wait(thread, mine) }
      if (begin.run === null) return { outcome: 'nothing-due' }
      return { outcome: 'busy', run: due.record.run, retryAfterMs: leased ? Math.ceil(leaseLeftMs) : 10_000 }
    }
    this.#seize(thread, due, begin)
    due.base ??= thread.record.head
    this.runs.update(due, { status: 'running', attempts: due.record.attempts + 1 })
    return claimOf(thread, due, begin)
  }

  /** Gives the thread to a worker, whoever had it: the epoch fences them. */
  #seize(thread: StoredThread, run: StoredRun, { token, leaseMs }: { token: string; leaseMs: number }): void {
    thread.epoch++
    thread.lease = { run, token, untilMs: this.#now() + leaseMs }
    this.threads.refresh(thread)
    this.threads.touch(thread, { status: 'busy', graph: run.record.graph })
  }

  async cancelRun(request: CancelRun): Promise<Cancellation> {
    const thread = this.threads.owned(request)
    if (thread === undefined) return { outcome: 'unknown-thread' }
    const run = thread.runs.find(({ record }) => record.run === request.run)
    if (run === undefined) return { outcome: 'unknown-run' }
    if (run.record.status === 'queued') this.runs.update(run, { status: 'cancelled' })
    if (run.record.status !== 'running') return { outcome: 'ended', run: this.runs.view(thread, run) }
    if (thread.lease?.token !== request.token) this.#seize(thread, run, request)
    run.cancelAsked = true
    return claimOf(thread, run, { run: null, inlineBytes: request.inlineBytes })
  }

  #leaseLeftMs({ lease }: StoredThread): number {
    return (lease?.untilMs ?? 0) - this.#now()
  }

  async commitStep(commit: StepCommit): Promise<StepOutcome> {
    const thread = this.threads.find(commit)
    const run = this.runs.find(commit.tenant, commit.run)
    const commitId = `${commit.step}:${commit.epoch}`
    if (run?.lastCommit === commitId) {
      return { outcome: 'already', head: run.record.answer ?? 0, status: run.record.status }
    }
    if (thread === undefined || run === undefined || run.record.status !== 'running' || !holds(thread, commit)) {
      const status = run?.cancelAsked ? 'cancelled' : (run?.record.status ?? 'dead')
      return { outcome: 'fenced', head: thread?.record.head ?? 0, status }
    }
    const createdAt = new Date(this.#now()).toISOString()
    const superstep = nextSuperstep(thread, run)
    for (const checkpoint of commit.checkpoints) grow(thread, commit.run, checkpoint, createdAt)
    const ends = commit.status !== 'running'
    thread.lease =
      ends || thread.lease === undefined ? undefined : { ...thread.lease, untilMs: this.#now() + commit.leaseMs }
    const { head } = this.threads.touch(thread, {
      status: ends ? (commit.status === 'error' ? 'error' : 'idle') : 'busy',
    })
    this.threads.refresh(thread)
    this.outbox.put(commit, run.record.graph, commit.messages)
    thread.saved = thread.saved.filter(
      (saved) => commit.status === 'error' && saved.run === superstep.run && saved.step === superstep.step,
    )
    save(thread, superstep, commit.saved)
    run.lastCommit = commitId
    if (commit.checkpoints.length > 0) {
      run.input = null
      run.carried = []
    }
    this.runs.update(run, { step: commit.step, status: commit.status, error: commit.error, attempts: 0, answer: head })
    return { outcome: 'applied', head, status: commit.status }
  }

  async renewLease(claim: ClaimRef, leaseMs: number): Promise<'held' | 'fenced' | 'cancelled'> {
    const thread = this.threads.find(claim)
    if (thread?.lease === undefined || !holdsLease(thread, claim)) {
      const run = this.runs.find(claim.tenant, claim.run)
      return run?.cancelAsked || run?.record.status === 'cancelled' ? 'cancelled' : 'fenced'
    }
    thread.lease = { ...thread.lease, untilMs: this.#now() + leaseMs }
    return 'held'
  }

  async saveTask(claim: ClaimRef, part: SavedTask): Promise<string | undefined> {
    const thread = this.threads.find(claim)
    if (thread?.lease === undefined || !holdsLease(thread, claim)) return undefined
    const superstep = nextSuperstep(thread, thread.lease.run)
    save(thread, superstep, [part])
    return savedOf(thread, superstep).find(({ task, key }) => task === part.task && key === part.key)?.value
  }

  async releaseTurn(claim: ClaimRef, saved: readonly SavedTask[]): Promise<void> {
    const thread = this.threads.find(claim)
    if (thread?.lease === undefined || !holdsLease(thread, claim)) return
    const { run } = thread.lease
    thread.lease = undefined
    save(thread, nextSuperstep(thread, run), saved)
    this.runs.update(run, { attempts: Math.max(run.record.attempts - 1, 0) })
  }

  async abandonTurn({ token, run, ...place }: AbandonedTurn): Promise<void> {
    const thread = this.threads.find(place)
    if (thread?.lease?.token !== token) return
    const held = thread.lease.run
    thread.lease = undefined
    thread.epoch++
    if (held.record.run === run && held.lastCommit === undefined) {
      this.runs.remove(thread, place.tenant, held)
      this.threads.touch(thread, { status: 'idle' })
    } else this.runs.update(held, { attempts: Math.max(held.record.attempts - 1, 0) })
  }

  async loadChain(load: LoadChain): Promise<Chain | undefined> {
    const thread = this.threads.owned(load)
    if (thread === undefined) return undefined
    const { head } = thread.record
    return { head, frames: chain(thread, load.seq ?? head, load.count) }
  }

  async putSnapshot({ seq, hash, text, ...place }: SnapshotPut): Promise<void> {
    const thread = this.threads.find(place)
    const checkpoint = seq > 0 ? thread?.checkpoints[seq] : undefined
    if (thread === undefined || checkpoint?.hash !== hash || checkpoint.snapshot !== undefined) return
    attachSnapshot(thread, checkpoint, text)
  }

  async orphans(search: { graphs: readonly string[]; limit: number }): Promise<readonly Orphan[]> {
    return this.runs.orphans(search)
  }

  async giveUpRuns(of: { graphsOtherThan: readonly string[]; olderThanMs: number }): Promise<number> {
    return this.runs.giveUp(of)
  }
}

function claimOf(thread: StoredThread, stored: StoredRun, begin: Pick<BeginTurn, 'run' | 'inlineBytes'>): ClaimedTurn {
  const { record, key, input, carried, cancelAsked: cancelled } = stored
  const superstep = nextSuperstep(thread, stored)
  const { run, graph, step, attempts } = record
  const { head, owner } = thread.record
  const { chainBytes = 0, baseBytes = 0 } = thread.checkpoints[head] ?? {}
  const frames = chainBytes + baseBytes <= begin.inlineBytes ? chain(thread, head, 1) : null
  return {
    ...{ outcome: 'claimed', run, mine: begin.run?.key === key, graph, owner },
    ...{ epoch: thread.epoch, head, hash: thread.headHash, lastSeq: thread.checkpoints.length - 1 },
    ...{ step, input, carried, attempts, cancelled, superstep, saved: savedOf(thread, superstep) },
    ...{ chainBytes, baseBytes, frames },
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
