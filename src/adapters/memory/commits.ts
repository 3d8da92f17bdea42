// Commits to threads in the in-memory database. The same outcomes as Postgres, asked in the same order.
import type { ClaimRef, SavedTask, StepCommit, StepOutcome } from '../../ports/checkpointer.ts'
import type { ThreadStatus } from '../../ports/thread-records.ts'
import { grow } from './branch.ts'
import { holdsLease } from './claims.ts'
import type { MemoryDatabase } from './database.ts'
import { nextSuperstep, type Superstep, save, savedOf } from './saved-tasks.ts'
import type { StoredRun, StoredThread } from './tables.ts'

const threadStatus = {
  running: 'busy',
  success: 'idle',
  cancelled: 'idle',
  error: 'error',
  waiting: 'interrupted',
} as const satisfies Record<StepCommit['status'], ThreadStatus>

export class MemoryCommits {
  readonly #database: MemoryDatabase

  constructor(database: MemoryDatabase) {
    this.#database = database
  }

  commit(commit: StepCommit): StepOutcome {
    const { threads, runs } = this.#database
    const thread = threads.find(commit)
    const run = runs.find(commit.tenant, commit.run)
    const commitId = `${commit.step}:${commit.epoch}${commit.status === 'waiting' ? ':waiting' : ''}`
    if (run?.lastCommit === commitId) {
      return { outcome: 'already', head: run.record.answer ?? 0, status: run.record.status }
    }
    if (thread === undefined || run === undefined || run.record.status !== 'running' || !holds(thread, commit)) {
      const status = run?.cancelAsked ? 'cancelled' : (run?.record.status ?? 'dead')
      return { outcome: 'fenced', head: thread?.record.head ?? 0, status }
    }
    run.lastCommit = commitId
    return this.#apply(thread, run, commit)
  }

  #apply(thread: StoredThread, run: StoredRun, commit: StepCommit): StepOutcome {
    const { threads, runs, outbox, approvals, announcements, now } = this.#database
    const { tenant, status, step, error } = commit
    const createdAt = new Date(now()).toISOString()
    const superstep = nextSuperstep(thread, run)
    for (const checkpoint of commit.checkpoints) grow(thread, run, checkpoint, createdAt)
    const { lease } = thread
    thread.lease = status === 'running' && lease ? { ...lease, untilMs: now() + commit.leaseMs } : undefined
    const { head } = threads.touch(thread, { status: threadStatus[status] })
    threads.refresh(thread)
    outbox.put(commit, run.record.graph, commit.messages)
    this.#keep(thread, superstep, commit)
    if (status === 'running' || status === 'success') approvals.markUsed(tenant, thread.record.thread, superstep)
    if (status === 'error') approvals.withdrawOpen(tenant, run)
    const asked = approvals.ask(tenant, thread, run, superstep, commit.questions)
    if (commit.checkpoints.length > 0) {
      run.input = null
      run.carried = []
    }
    runs.update(run, { step, status, error, attempts: 0, answer: head })
    const announced = announcements.approvals(tenant, asked) + announcements.run(tenant, run)
    if (status === 'waiting') approvals.resumeAnswered(tenant, thread, superstep)
    return { outcome: 'applied', head, status, ...(announced > 0 && { announced }) }
  }

  /** A commit drops what tasks had given before it; one that fails or waits leaves that of its own superstep. */
  #keep(thread: StoredThread, superstep: Superstep, { status, saved }: StepCommit): void {
    const unfinished = status === 'error' || status === 'waiting'
    thread.saved = thread.saved.filter(
      ({ run, step }) => unfinished && run === superstep.run && step === superstep.step,
    )
    save(thread, superstep, saved)
  }

  saveTask(claim: ClaimRef, part: SavedTask): string | undefined {
    const thread = this.#database.threads.find(claim)
    if (thread?.lease === undefined || !holdsLease(thread, claim)) return undefined
    const superstep = nextSuperstep(thread, thread.lease.run)
    save(thread, superstep, [part])
    return savedOf(thread, superstep).find(({ task, key }) => task === part.task && key === part.key)?.value
  }
}

function holds(thread: StoredThread, commit: StepCommit): boolean {
  return holdsLease(thread, commit) && thread.record.head === commit.head && thread.headHash === commit.hash
}
