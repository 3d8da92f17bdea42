// Run records of the in-memory database.
import type { BeginTurn, Orphan, ThreadKey } from '../../ports/checkpointer.ts'
import type { RunRecord, RunRecords } from '../../ports/run-records.ts'
import type { MemoryDatabase } from './database.ts'
import { isLive, type StoredRun, type StoredThread, type Tables } from './tables.ts'
import type { MemoryThreads } from './threads.ts'

export class MemoryRuns implements RunRecords {
  readonly #tables: Tables
  readonly #database: Pick<MemoryDatabase, 'threads' | 'approvals' | 'announcements'>
  readonly #now: () => number

  constructor(
    tables: Tables,
    database: Pick<MemoryDatabase, 'threads' | 'approvals' | 'announcements'>,
    now: () => number,
  ) {
    this.#tables = tables
    this.#database = database
    this.#now = now
  }

  get #threads(): MemoryThreads {
    return this.#database.threads
  }

  async get(key: ThreadKey, run: string): Promise<RunRecord | undefined> {
    const thread = this.#threads.owned(key)
    const found = thread?.runs.find(({ record }) => record.run === run)
    return thread && found && this.view(thread, found)
  }

  async list(key: ThreadKey, { limit, offset }: { limit: number; offset: number }): Promise<readonly RunRecord[]> {
    const thread = this.#threads.owned(key)
    const runs = thread?.runs.map((run) => this.view(thread, run)) ?? []
    return runs.reverse().slice(offset, offset + limit)
  }

  /** As it is just now: whether anybody works on it is a matter of time. */
  view(thread: StoredThread, run: StoredRun): RunRecord {
    return { ...run.record, orphaned: this.#isOrphaned(thread, run) }
  }

  #isOrphaned({ lease }: StoredThread, run: StoredRun): boolean {
    const held = lease !== undefined && lease.untilMs >= this.#now()
    return isLive(run) && !this.attended(run) && !held
  }

  find(tenant: string, run: string): StoredRun | undefined {
    return this.#tables.runs.get(tenant)?.get(run)
  }

  /** `undefined` when the tenant has given the id to another run. */
  make(thread: StoredThread, { tenant, graph }: BeginTurn, run: NonNullable<BeginTurn['run']>): StoredRun | undefined {
    const runs = this.#tables.runs.get(tenant) ?? new Map<string, StoredRun>()
    if (runs.has(run.run)) return undefined
    const createdAt = this.#timestamp()
    const record: RunRecord = {
      ...{ run: run.run, thread: thread.record.thread, graph, status: 'queued' },
      ...{ step: 0, attempts: 0, answer: null, error: null, orphaned: false, createdAt, updatedAt: createdAt },
    }
    const made: StoredRun = {
      ...{ record, key: run.key, bodyHash: run.bodyHash, input: run.input, carried: [] },
      ...{ base: undefined, asksAtMs: this.#now(), lastCommit: undefined, cancelAsked: false },
      ...{ kind: run.kind ?? 'input', forkFrom: run.forkFrom, stops: run.stops ?? [] },
    }
    thread.runs.push(made)
    this.#tables.runs.set(tenant, runs.set(run.run, made))
    return made
  }

  remove(thread: StoredThread, tenant: string, run: StoredRun): void {
    thread.runs.splice(thread.runs.indexOf(run), 1)
    this.#tables.runs.get(tenant)?.delete(run.record.run)
  }

  update(run: StoredRun, change: Partial<RunRecord>): void {
    run.record = { ...run.record, ...change, updatedAt: this.#timestamp() }
  }

  /** The first run that is due. One that was claimed `maxAttempts` times without a commit is dead, and so passed over. */
  firstDue(thread: StoredThread, leased: boolean, maxAttempts: number): StoredRun | undefined {
    for (const run of thread.runs.filter(isLive)) {
      const { attempts } = run.record
      if (leased || attempts < maxAttempts) return run
      const message = `The run was started ${attempts} times and never got to a commit; it is not tried again. Its input is kept with the run.`
      this.update(run, { status: 'dead', error: { code: 'run_failed', message } })
      this.#database.approvals.withdraw(thread.tenant, run)
      this.#database.announcements.run(thread.tenant, run)
      this.#threads.touch(thread, { status: 'error' })
    }
    return undefined
  }

  orphans({ graphs, limit }: { graphs: readonly string[]; limit: number }): Orphan[] {
    const found = [...this.#all()].filter(({ thread, run }) => this.#isOrphaned(thread, run))
    return found
      .map(({ tenant, run: { record } }) => ({ tenant, record }))
      .filter(({ record }) => graphs.includes(record.graph))
      .sort((a, b) => (a.record.updatedAt < b.record.updatedAt ? -1 : a.record.updatedAt > b.record.updatedAt ? 1 : 0))
      .slice(0, limit)
      .map(({ tenant, record: { thread, run, graph } }) => ({ tenant, thread, run, graph }))
  }

  giveUp({ graphsOtherThan, olderThanMs }: { graphsOtherThan: readonly string[]; olderThanMs: number }): number {
    const before = new Date(this.#now() - olderThanMs).toISOString()
    const given = [...this.#all()].filter(({ thread, run }) => {
      const { graph, updatedAt } = run.record
      const leased = thread.lease !== undefined && thread.lease.untilMs > this.#now()
      return isLive(run) && !graphsOtherThan.includes(graph) && updatedAt < before && !leased
    })
    for (const { thread, run } of given) {
      const message = `No Worker has had the graph "${run.record.graph}" since this run was due. Deploy it and send the request again. Its input is kept with the run.`
      this.update(run, { status: 'dead', error: { code: 'graph_unknown', message } })
      this.#database.approvals.withdraw(thread.tenant, run)
      this.#database.announcements.run(thread.tenant, run)
      this.#threads.touch(thread, { status: 'error' })
    }
    return given.length
  }

  *#all(): Generator<{ tenant: string; thread: StoredThread; run: StoredRun }> {
    for (const [tenant, threads] of this.#tables.threads) {
      for (const thread of threads.values()) for (const run of thread.runs) yield { tenant, thread, run }
    }
  }

  /** A queued run is left to whoever waits for it until they are 5 s late. */
  attended({ record, asksAtMs }: StoredRun): boolean {
    return record.status === 'queued' && asksAtMs > this.#now() - patienceMs
  }

  /** Counts those before a waiting run, and notes when its caller means to ask again. */
  wait(thread: StoredThread, run: StoredRun): number {
    const ahead = thread.runs.filter(isLive).indexOf(run)
    run.asksAtMs = this.#now() + Math.min(Math.max(ahead - 1, 0.25), 15) * 1_000
    return ahead
  }

  /** Ends the runs before a new one, which it pushes aside. The inputs that they had not yet taken in are carried over to it. */
  supersede(thread: StoredThread, mine: StoredRun, strategy: 'interrupt' | 'rollback'): void {
    const others = thread.runs.filter((run) => isLive(run) && run !== mine)
    for (const run of others) this.#database.approvals.withdraw(thread.tenant, run)
    thread.lease = undefined
    if (strategy === 'rollback') {
      const base = Math.min(...others.map(({ base }) => base ?? thread.record.head))
      for (const run of others) this.update(run, { status: 'cancelled' })
      this.#putBack(thread, base)
      return
    }
    for (const run of others) {
      this.update(run, { status: 'interrupted' })
      if (run.record.graph !== mine.record.graph || run.kind !== 'input') continue
      mine.carried = [
        ...mine.carried,
        ...run.carried,
        ...(run.input === null || run.input === 'null' ? [] : [run.input]),
      ]
      run.input = null
      run.carried = []
    }
  }

  /** Another is to go on from its head, or with `rollback` from where it began: one that only stopped by itself is done, and stays. */
  endWaiting(thread: StoredThread, waiting: StoredRun, rollback: boolean): void {
    const { approvals, announcements } = this.#database
    const asked = approvals.isAsked(thread.tenant, waiting)
    this.update(waiting, { status: asked ? 'cancelled' : 'success' })
    if (asked && rollback) this.#putBack(thread, waiting.base ?? 0)
    approvals.withdraw(thread.tenant, waiting)
    announcements.run(thread.tenant, waiting)
  }

  #putBack(thread: StoredThread, base: number): void {
    thread.headHash = thread.checkpoints[base]?.hash ?? ''
    this.#threads.touch(thread, { head: base })
  }

  #timestamp(): string {
    return new Date(this.#now()).toISOString()
  }
}

const patienceMs = 5_000
