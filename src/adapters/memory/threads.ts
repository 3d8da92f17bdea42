// Thread records of the in-memory database.
import type { ThreadCreation, ThreadKey, ThreadRecord, ThreadRecords, ThreadSearch } from '../../ports/checkpointer.ts'
import { rootCheckpoint, type StoredThread, type Tables } from './tables.ts'

export class MemoryThreads implements ThreadRecords {
  readonly #tables: Tables
  readonly #now: () => number

  constructor(tables: Tables, now: () => number) {
    this.#tables = tables
    this.#now = now
  }

  async create(key: ThreadKey, metadata: ThreadRecord['metadata']): Promise<ThreadCreation> {
    const taken = this.#tables.threads.get(key.tenant)?.get(key.thread)
    if (taken !== undefined) {
      return taken.record.owner === key.owner ? { outcome: 'exists', thread: taken.record } : { outcome: 'taken' }
    }
    const made = this.make(key, metadata)
    return made === undefined ? { outcome: 'taken' } : { outcome: 'created', thread: made.record }
  }

  async get(key: ThreadKey): Promise<ThreadRecord | undefined> {
    return this.#owned(key)?.record
  }

  async search(search: ThreadSearch): Promise<readonly ThreadRecord[]> {
    const { sortBy, descending, limit, offset } = search
    const sorted = this.#matching(search).sort((a, b) => {
      const order = a[sortBy] < b[sortBy] ? -1 : a[sortBy] > b[sortBy] ? 1 : a.thread < b.thread ? -1 : 1
      return descending ? -order : order
    })
    return sorted.slice(offset, offset + limit)
  }

  async count(search: ThreadSearch): Promise<number> {
    return this.#matching(search).length
  }

  async patch(key: ThreadKey, metadata: ThreadRecord['metadata']): Promise<ThreadRecord | undefined> {
    const thread = this.#owned(key)
    if (thread === undefined) return undefined
    const merged = Object.entries({ ...thread.record.metadata, ...metadata }).filter(([, value]) => value !== null)
    return this.touch(thread, { metadata: Object.fromEntries(merged) })
  }

  async delete(key: ThreadKey): Promise<boolean> {
    const thread = this.#owned(key)
    if (thread === undefined) return false
    this.#tables.threads.get(key.tenant)?.delete(key.thread)
    for (const { record } of thread.runs) this.#tables.runs.get(key.tenant)?.delete(record.run)
    return true
  }

  /** `undefined` when the id is taken, or when nobody would own the thread. */
  make({ tenant, thread, owner }: ThreadKey, metadata: ThreadRecord['metadata'] = {}): StoredThread | undefined {
    const threads = this.#tables.threads.get(tenant) ?? new Map<string, StoredThread>()
    if (owner === null || threads.has(thread)) return undefined
    const now = this.#timestamp()
    const made: StoredThread = {
      record: { thread, owner, metadata, status: 'idle', graph: null, head: 0, createdAt: now, updatedAt: now },
      headHash: '',
      epoch: 0,
      lease: undefined,
      checkpoints: [rootCheckpoint],
      runs: [],
    }
    this.#tables.threads.set(tenant, threads.set(thread, made))
    return made
  }

  touch(thread: StoredThread, change: Partial<ThreadRecord>): ThreadRecord {
    thread.record = { ...thread.record, ...change, updatedAt: this.#timestamp() }
    return thread.record
  }

  #owned({ tenant, thread: id, owner }: ThreadKey): StoredThread | undefined {
    const thread = this.#tables.threads.get(tenant)?.get(id)
    return thread !== undefined && (owner === null || thread.record.owner === owner) ? thread : undefined
  }

  #matching({ tenant, owner, ids, status, metadata }: ThreadSearch): ThreadRecord[] {
    return [...(this.#tables.threads.get(tenant)?.values() ?? [])]
      .map(({ record }) => record)
      .filter(
        (record) =>
          (owner === null || record.owner === owner) &&
          (ids === null || ids.includes(record.thread)) &&
          (status === null || record.status === status) &&
          Object.entries(metadata).every(
            ([key, value]) => JSON.stringify(record.metadata[key]) === JSON.stringify(value),
          ),
      )
  }

  #timestamp(): string {
    return new Date(this.#now()).toISOString()
  }
}
