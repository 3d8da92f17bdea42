// Run records of the in-memory database.
import type { BeginTurn, Orphan, RunRecord, RunRecords, ThreadKey } from '../../ports/checkpointer.ts'
import type { StoredRun, StoredThread, Tables } from './tables.ts'
import type { MemoryThreads } from './threads.ts'

export class MemoryRuns implements RunRecords {
  readonly #tables: Tables
  readonly #threads: MemoryThreads
  readonly #now: () => number

  constructor(tables: Tables, threads: MemoryThreads, now: () => number) {
    this.#tables = tables
    this.#threads = threads
    this.#now = now
  }

  async get(key: ThreadKey, run: string): Promise<RunRecord | undefined> {
    return this.#threads.owned(key)?.runs.find(({ record }) => record.run === run)?.record
  }

  async list(key: ThreadKey, { limit, offset }: { limit: number; offset: number }): Promise<readonly RunRecord[]> {
    const runs = this.#threads.owned(key)?.runs ?? []
    return runs
      .map(({ record }) => record)
      .reverse()
      .slice(offset, offset + limit)
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
      ...{ run: run.run, thread: thread.record.thread, graph, status: 'running' },
      ...{ step: 0, attempts: 0, answer: null, error: null, createdAt, updatedAt: createdAt },
    }
    const made: StoredRun = { record, key: run.key, bodyHash: run.bodyHash, input: run.input, lastCommit: undefined }
    thread.runs.push(made)
    this.#tables.runs.set(tenant, runs.set(run.run, made))
    return made
  }

  update(run: StoredRun, change: Partial<RunRecord>): void {
    run.record = { ...run.record, ...change, updatedAt: this.#timestamp() }
  }

  /** The first run that is due. One that was claimed `maxAttempts` times without a commit is dead, and so passed over. */
  firstDue(thread: StoredThread, maxAttempts: number): StoredRun | undefined {
    for (const run of thread.runs) {
      const { status, attempts } = run.record
      if (status !== 'running') continue
      if (attempts < maxAttempts) return run
      const message = `The run was started ${attempts} times and never got to a commit; it is not tried again. Its input is kept with the run.`
      this.update(run, { status: 'dead', error: { code: 'run_failed', message } })
      this.#threads.touch(thread, { status: 'error' })
    }
    return undefined
  }

  orphans(limit: number): Orphan[] {
    const found: (Orphan & { updatedAt: string })[] = []
    for (const [tenant, runs] of this.#tables.runs) {
      for (const { record } of runs.values()) {
        const { thread, run, graph, status, updatedAt } = record
        const lease = this.#tables.threads.get(tenant)?.get(thread)?.lease
        const held = lease !== undefined && lease.untilMs > this.#now()
        if (status === 'running' && !held) found.push({ tenant, thread, run, graph, updatedAt })
      }
    }
    found.sort((a, b) => (a.updatedAt < b.updatedAt ? -1 : a.updatedAt > b.updatedAt ? 1 : 0))
    return found.slice(0, limit).map(({ updatedAt: _, ...orphan }) => orphan)
  }

  #timestamp(): string {
    return new Date(this.#now()).toISOString()
  }
}
