// Claims on threads in the in-memory database: who may work on what. The same outcomes as Postgres, asked in the same order.
import type {
  AbandonedTurn,
  BeginTurn,
  Cancellation,
  CancelRun,
  ClaimedTurn,
  ClaimRef,
  SavedTask,
  TurnClaim,
} from '../../ports/checkpointer.ts'
import { chain } from './branch.ts'
import type { MemoryDatabase } from './database.ts'
import { nextSuperstep, save, savedOf } from './saved-tasks.ts'
import { isLive, type StoredRun, type StoredThread } from './tables.ts'

export class MemoryClaims {
  readonly #database: MemoryDatabase

  constructor(database: MemoryDatabase) {
    this.#database = database
  }

  begin(begin: BeginTurn): TurnClaim {
    const { threads, runs, now } = this.#database
    const change = begin.threadTtlMs === null ? {} : { ttlMs: begin.threadTtlMs }
    const thread = threads.owned(begin) ?? (begin.createThread ? threads.make(begin, change) : undefined)
    if (thread === undefined) return { outcome: 'unknown-thread' }
    const { lease } = thread
    const leased = lease !== undefined && lease.untilMs > now()
    if (leased && lease.token === begin.token) return this.#claimOf(thread, lease.run, begin)
    const known = begin.run && thread.runs.find(({ key }) => key === begin.run?.key)
    if (known && known.bodyHash !== begin.run?.bodyHash) return { outcome: 'key-reused' }
    if (known && !isLive(known)) return { outcome: 'ended', run: runs.view(thread, known) }
    return this.#admit(thread, begin, known ?? undefined)
  }

  #admit(thread: StoredThread, begin: BeginTurn, known: StoredRun | undefined): TurnClaim {
    const { runs } = this.#database
    const first = runs.firstDue(thread, this.#leaseLeftMs(thread) > 0, begin.maxAttempts)
    if (known && !isLive(known)) return { outcome: 'ended', run: runs.view(thread, known) }
    const waiting = thread.runs.find(({ record }) => record.status === 'waiting')
    const refusal = known === undefined ? this.#refusal(thread, begin, first, waiting) : undefined
    if (refusal !== undefined) return refusal
    let due = first
    let mine = known
    if (mine === undefined && begin.run !== null && (first === undefined || begin.run.strategy !== 'reject')) {
      mine = runs.make(thread, begin, begin.run)
      if (mine === undefined) return { outcome: 'key-reused' }
      const { strategy } = begin.run
      if (strategy === 'interrupt' || strategy === 'rollback') {
        if (first !== undefined) runs.supersede(thread, mine, strategy)
        due = mine
      }
    }
    due ??= mine
    if (due === undefined) return { outcome: 'nothing-due' }
    return this.#busy(thread, begin, due, mine) ?? this.#claim(thread, begin, due, waiting, due === mine)
  }

  /** What is refused before it has a row. */
  #refusal(
    thread: StoredThread,
    { tenant, run }: BeginTurn,
    first: StoredRun | undefined,
    waiting: StoredRun | undefined,
  ): TurnClaim | undefined {
    if (run === null) return undefined
    const { kind = 'input', input, strategy, forkFrom } = run
    const asks = waiting !== undefined && this.#database.approvals.isAsked(tenant, waiting)
    const yields = (strategy === 'reject' && kind !== 'update') || (kind === 'input' && input === 'null')
    if (asks && first === undefined && forkFrom === undefined && yields) {
      return { outcome: 'waiting', run: this.#database.runs.view(thread, waiting) }
    }
    const lost = forkFrom !== undefined && (forkFrom < 1 || thread.checkpoints[forkFrom] === undefined)
    return lost ? { outcome: 'unknown-checkpoint' } : undefined
  }

  /** Somebody works on it, or waits for it, or it takes a worker that has its graph. */
  #busy(thread: StoredThread, begin: BeginTurn, due: StoredRun, mine: StoredRun | undefined): TurnClaim | undefined {
    const { runs } = this.#database
    const leaseLeftMs = this.#leaseLeftMs(thread)
    const leased = leaseLeftMs > 0
    const taken = due !== mine && runs.attended(due)
    if (!leased && !taken && due.record.graph === begin.graph) return undefined
    if (mine !== undefined) return { outcome: 'queued', run: mine.record.run, ahead: runs.wait(thread, mine) }
    if (begin.run === null) return { outcome: 'nothing-due' }
    return { outcome: 'busy', run: due.record.run, retryAfterMs: leased ? Math.ceil(leaseLeftMs) : 10_000 }
  }

  #claim(
    thread: StoredThread,
    begin: BeginTurn,
    due: StoredRun,
    waiting: StoredRun | undefined,
    own: boolean,
  ): TurnClaim {
    const { runs, threads } = this.#database
    if (waiting !== undefined) runs.endWaiting(thread, waiting, own && begin.run?.strategy === 'rollback')
    this.#seize(thread, due, begin)
    const { head } = thread.record
    const fork = due.forkFrom === undefined || due.base !== undefined ? undefined : thread.checkpoints[due.forkFrom]
    // A fork begins where it was told to, once: what it commits is then its own branch.
    if (fork !== undefined) {
      threads.touch(thread, { head: fork.seq })
      thread.headHash = fork.hash
    }
    due.base ??= head
    runs.update(due, { status: 'running', attempts: due.record.attempts + 1 })
    return this.#claimOf(thread, due, begin)
  }

  /** Gives the thread to a worker, whoever had it: the epoch fences them. */
  #seize(thread: StoredThread, run: StoredRun, { token, leaseMs }: { token: string; leaseMs: number }): void {
    const { threads, now } = this.#database
    thread.epoch++
    thread.lease = { run, token, untilMs: now() + leaseMs }
    threads.refresh(thread)
    threads.touch(thread, { status: 'busy', graph: run.record.graph })
  }

  cancel(request: CancelRun): Cancellation {
    const { threads, runs, approvals } = this.#database
    const thread = threads.owned(request)
    if (thread === undefined) return { outcome: 'unknown-thread' }
    const run = thread.runs.find(({ record }) => record.run === request.run)
    if (run === undefined) return { outcome: 'unknown-run' }
    if (run.record.status === 'queued' && run.base === undefined) runs.update(run, { status: 'cancelled' })
    if (!isLive(run) && run.record.status !== 'waiting') return { outcome: 'ended', run: runs.view(thread, run) }
    if (thread.lease?.token !== request.token) this.#seize(thread, run, request)
    run.cancelAsked = true
    runs.update(run, { status: 'running' })
    approvals.withdraw(request.tenant, run)
    return this.#claimOf(thread, run, { tenant: request.tenant, run: null, inlineBytes: request.inlineBytes })
  }

  renew(claim: ClaimRef, leaseMs: number): 'held' | 'fenced' | 'cancelled' {
    const { threads, runs, now } = this.#database
    const thread = threads.find(claim)
    if (thread?.lease === undefined || !holdsLease(thread, claim)) {
      const run = runs.find(claim.tenant, claim.run)
      return run?.cancelAsked || run?.record.status === 'cancelled' ? 'cancelled' : 'fenced'
    }
    thread.lease = { ...thread.lease, untilMs: now() + leaseMs }
    return 'held'
  }

  release(claim: ClaimRef, saved: readonly SavedTask[]): void {
    const { threads, runs } = this.#database
    const thread = threads.find(claim)
    if (thread?.lease === undefined || !holdsLease(thread, claim)) return
    const { run } = thread.lease
    thread.lease = undefined
    save(thread, nextSuperstep(thread, run), saved)
    runs.update(run, { attempts: Math.max(run.record.attempts - 1, 0) })
  }

  abandon({ token, run, ...place }: AbandonedTurn): void {
    const { threads, runs } = this.#database
    const thread = threads.find(place)
    if (thread?.lease?.token !== token) return
    const held = thread.lease.run
    thread.lease = undefined
    thread.epoch++
    if (held.record.run !== run || held.lastCommit !== undefined) {
      runs.update(held, { attempts: Math.max(held.record.attempts - 1, 0) })
      return
    }
    // A fork had moved the head.
    if (held.forkFrom !== undefined) {
      threads.touch(thread, { head: held.base ?? 0 })
      thread.headHash = thread.checkpoints[held.base ?? 0]?.hash ?? ''
    }
    runs.remove(thread, place.tenant, held)
    threads.touch(thread, { status: 'idle' })
  }

  #leaseLeftMs({ lease }: StoredThread): number {
    return (lease?.untilMs ?? 0) - this.#database.now()
  }

  #claimOf(
    thread: StoredThread,
    stored: StoredRun,
    begin: Pick<BeginTurn, 'tenant' | 'run' | 'inlineBytes'>,
  ): ClaimedTurn {
    const { record, key, kind, input, stops, carried, cancelAsked: cancelled } = stored
    const superstep = nextSuperstep(thread, stored)
    const { run, graph, step, attempts } = record
    const { head, owner } = thread.record
    const { chainBytes = 0, baseBytes = 0 } = thread.checkpoints[head] ?? {}
    const frames = chainBytes + baseBytes <= begin.inlineBytes ? chain(thread, head, 1) : null
    const answers = this.#database.approvals.answersFor(begin.tenant, thread.record.thread, superstep)
    return {
      ...{ outcome: 'claimed', run, mine: begin.run?.key === key, graph, owner },
      ...{ epoch: thread.epoch, head, hash: thread.headHash, lastSeq: thread.checkpoints.length - 1 },
      ...{
        step,
        kind,
        input,
        stops,
        carried,
        attempts,
        cancelled,
        superstep,
        saved: savedOf(thread, superstep),
        answers,
      },
      ...{ chainBytes, baseBytes, frames },
    }
  }
}

export function holdsLease({ epoch, lease }: StoredThread, claim: ClaimRef): boolean {
  return (
    lease !== undefined && epoch === claim.epoch && lease.run.record.run === claim.run && lease.token === claim.token
  )
}
