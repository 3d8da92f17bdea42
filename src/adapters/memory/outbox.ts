// Messages on their way out of the in-memory database.
import type { Fate, Outbox, OutboxEntry, OutboxMessage, TakeMessages } from '../../ports/outbox.ts'
import type { StoredMessage, Tables } from './tables.ts'

export class MemoryOutbox implements Outbox {
  readonly #tables: Tables
  readonly #now: () => number

  constructor(tables: Tables, now: () => number) {
    this.#tables = tables
    this.#now = now
  }

  /** With the commit that sends them. */
  put(
    { tenant, thread, run }: Pick<OutboxMessage, 'tenant' | 'thread' | 'run'>,
    graph: string,
    entries: readonly OutboxEntry[],
  ): void {
    const createdAt = new Date(this.#now()).toISOString()
    const owner = this.#tables.threads.get(tenant)?.get(thread)?.record.owner
    for (const { debounceMs, ...entry } of entries) {
      const message = { tenant, thread, run, graph, ...entry, attempt: 0, createdAt }
      const dueAtMs = this.#now() + (debounceMs ?? 0)
      // Whoever delivers it just now settles nothing of this one.
      if (debounceMs !== undefined) this.#drop(({ message: { id, tenant: of } }) => id === entry.id && of === tenant)
      const fresh = { status: 'pending', dueAtMs, settledAtMs: undefined, token: undefined } as const
      this.#tables.messages.add({ message, owner, ...fresh })
    }
  }

  async take({ graphs, run, token, limit, leaseMs }: TakeMessages): Promise<readonly OutboxMessage[]> {
    const now = this.#now()
    const mine = ({ message }: StoredMessage) =>
      run === null || (message.tenant === run.tenant && message.run === run.run)
    const due = [...this.#tables.messages]
      .filter((stored) => stored.endpoint === undefined && stored.status === 'pending' && stored.dueAtMs <= now)
      .filter((stored) => graphs.includes(stored.message.graph) && mine(stored))
      .sort((a, b) => a.dueAtMs - b.dueAtMs)
      .slice(0, limit)
    return due.map((stored) => {
      stored.message = { ...stored.message, attempt: stored.message.attempt + 1 }
      stored.token = token
      stored.dueAtMs = now + leaseMs
      return stored.message
    })
  }

  async settle({ tenant, id, token }: { tenant: string; id: string; token: string }, fate: Fate): Promise<boolean> {
    const stored = [...this.#tables.messages].find(({ message }) => message.tenant === tenant && message.id === id)
    if (stored === undefined || stored.status !== 'pending' || stored.token !== token) return false
    stored.status = fate.status
    stored.token = undefined
    if (fate.status === 'pending') stored.dueAtMs = this.#now() + fate.dueInMs
    else stored.settledAtMs = this.#now()
    const orphaned = !this.#tables.threads.get(tenant)?.has(stored.message.thread)
    if (orphaned && fate.status !== 'pending') this.#tables.messages.delete(stored)
    return true
  }

  async forget(tenant: string, owner: string): Promise<void> {
    this.#drop(({ message, owner: of }) => message.tenant === tenant && of === owner)
  }

  async purge(settledForMs: number): Promise<void> {
    const before = this.#now() - settledForMs
    this.#drop(({ settledAtMs }) => settledAtMs !== undefined && settledAtMs < before)
  }

  /** Of a thread that is deleted; what is still to be delivered was promised, and a webhook only tells of it. */
  dropSettled(tenant: string, thread: string): void {
    this.#drop(
      ({ message, status, endpoint }) =>
        message.tenant === tenant && message.thread === thread && (status !== 'pending' || endpoint !== undefined),
    )
  }

  #drop(unwanted: (stored: StoredMessage) => boolean): void {
    for (const stored of this.#tables.messages) if (unwanted(stored)) this.#tables.messages.delete(stored)
  }
}
