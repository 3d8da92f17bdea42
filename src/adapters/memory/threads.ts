// Thread records of the in-memory database.
import { isRecord } from '../../kernel/json.ts'
import type { ThreadKey } from '../../ports/checkpointer.ts'
import type {
  ExpiredThread,
  ThreadChange,
  ThreadCreation,
  ThreadRecord,
  ThreadRecords,
  ThreadSearch,
} from '../../ports/thread-records.ts'
import { prune } from './branch.ts'
import type { MemoryOutbox } from './outbox.ts'
import { isLive, rootCheckpoint, type StoredThread, type Tables } from './tables.ts'

export class MemoryThreads implements ThreadRecords {
  readonly #tables: Tables
  readonly #outbox: MemoryOutbox
  readonly #now: () => number

  constructor(tables: Tables, outbox: MemoryOutbox, now: () => number) {
    this.#tables = tables
    this.#outbox = outbox
    this.#now = now
  }

  async create(key: ThreadKey, change: ThreadChange): Promise<ThreadCreation> {
    const taken = this.find(key)
    if (taken !== undefined) {
      return taken.record.owner === key.owner ? { outcome: 'exists', thread: taken.record } : { outcome: 'taken' }
    }
    const made = this.make(key, change)
    return made === undefined ? { outcome: 'taken' } : { outcome: 'created', thread: made.record }
  }

  async get(key: ThreadKey): Promise<ThreadRecord | undefined> {
    return this.owned(key)?.record
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

  async patch(key: ThreadKey, { metadata = {}, ttlMs }: ThreadChange): Promise<ThreadRecord | undefined> {
    const thread = this.owned(key)
    if (thread === undefined) return undefined
    if (ttlMs !== undefined) {
      thread.ttlMs = ttlMs
      this.refresh(thread)
    }
    const merged = Object.entries({ ...thread.record.metadata, ...copyOf(metadata) }).filter(
      ([, value]) => value !== null,
    )
    return this.touch(thread, { metadata: Object.fromEntries(merged) })
  }

  async delete(key: ThreadKey): Promise<boolean> {
    const thread = this.owned(key)
    if (thread === undefined) return false
    this.#tables.threads.get(key.tenant)?.delete(key.thread)
    for (const { record } of thread.runs) this.#tables.runs.get(key.tenant)?.delete(record.run)
    this.#outbox.dropSettled(key.tenant, key.thread)
    return true
  }

  async expired(limit: number): Promise<readonly ExpiredThread[]> {
    const found = [...this.#tables.threads].flatMap(([tenant, threads]) =>
      [...threads.values()].filter((thread) => this.#isExpired(thread)).map((thread) => ({ tenant, thread })),
    )
    found.sort((a, b) => (a.thread.expiresAtMs ?? 0) - (b.thread.expiresAtMs ?? 0))
    return found.slice(0, limit).map(({ tenant, thread: { record } }) => {
      return { tenant, thread: record.thread, owner: record.owner }
    })
  }

  async deleteExpired({ tenant, thread }: ExpiredThread): Promise<boolean> {
    const found = this.find({ tenant, thread })
    return found !== undefined && this.#isExpired(found) && this.delete({ tenant, thread, owner: null })
  }

  async prune(key: ThreadKey, keep: number): Promise<number | undefined> {
    const thread = this.owned(key)
    return thread && prune(thread, keep)
  }

  #isExpired({ expiresAtMs, runs }: StoredThread): boolean {
    return expiresAtMs !== undefined && expiresAtMs < this.#now() && !runs.some(isLive)
  }

  /** The time to live counts from now. */
  refresh(thread: StoredThread): void {
    thread.expiresAtMs = thread.ttlMs === undefined ? thread.expiresAtMs : this.#now() + thread.ttlMs
  }

  /** `undefined` when the id is taken, or when nobody would own the thread. */
  make({ tenant, thread, owner }: ThreadKey, { metadata = {}, ttlMs }: ThreadChange): StoredThread | undefined {
    const threads = this.#tables.threads.get(tenant) ?? new Map<string, StoredThread>()
    if (owner === null || threads.has(thread)) return undefined
    const now = this.#timestamp()
    const made: StoredThread = {
      record: {
        thread,
        owner,
        metadata: copyOf(metadata),
        status: 'idle',
        graph: null,
        head: 0,
        createdAt: now,
        updatedAt: now,
      },
      headHash: '',
      epoch: 0,
      lease: undefined,
      checkpoints: [rootCheckpoint],
      runs: [],
      saved: [],
      ttlMs,
      expiresAtMs: undefined,
    }
    this.refresh(made)
    this.#tables.threads.set(tenant, threads.set(thread, made))
    return made
  }

  touch(thread: StoredThread, change: Partial<ThreadRecord>): ThreadRecord {
    thread.record = { ...thread.record, ...change, updatedAt: this.#timestamp() }
    return thread.record
  }

  find({ tenant, thread }: { tenant: string; thread: string }): StoredThread | undefined {
    return this.#tables.threads.get(tenant)?.get(thread)
  }

  owned(key: ThreadKey): StoredThread | undefined {
    const thread = this.find(key)
    return thread !== undefined && (key.owner === null || thread.record.owner === key.owner) ? thread : undefined
  }

  #matching({ tenant, owner, ids, status, metadata }: ThreadSearch): ThreadRecord[] {
    return [...(this.#tables.threads.get(tenant)?.values() ?? [])]
      .map(({ record }) => record)
      .filter(
        (record) =>
          (owner === null || record.owner === owner) &&
          (ids === null || ids.includes(record.thread)) &&
          (status === null || record.status === status) &&
          Object.entries(copyOf(metadata)).every(
            ([key, value]) => Object.hasOwn(record.metadata, key) && equal(record.metadata[key], value),
          ),
      )
  }

  #timestamp(): string {
    return new Date(this.#now()).toISOString()
  }
}

/** As a database would keep it: nothing of the caller's own, and nothing that JSON has no word for. */
function copyOf(metadata: ThreadRecord['metadata']): ThreadRecord['metadata'] {
  return JSON.parse(JSON.stringify(metadata))
}

/** Equal as JSON: the order of keys does not count. */
function equal(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => equal(item, b[index]))
  if (!isRecord(a) || !isRecord(b)) return a === b
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]))
}
