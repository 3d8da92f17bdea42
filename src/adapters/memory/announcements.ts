// Events of the in-memory database on their way into its outbox, with the writes that make them true.
import { randomId } from '../../kernel/id.ts'
import type { ApprovalRecord } from '../../ports/approvals.ts'
import type { WebhookEvent } from '../../ports/webhooks.ts'
import type { StoredRun, Tables } from './tables.ts'

/** Of what is shown to a person; more is read where all of it is shown. */
const mostBytes = 65_536

/** Each method gives for how many endpoints. */
export class MemoryAnnouncements {
  readonly #tables: Tables
  readonly #now: () => number

  constructor(tables: Tables, now: () => number) {
    this.#tables = tables
    this.#now = now
  }

  /** A run that has ended. What is written from outside runs nothing, and is not told of; nor is what somebody cancelled. */
  run(tenant: string, { record, kind }: StoredRun): number {
    const { run, thread, graph, status, answer, error } = record
    if (kind === 'update' || (status !== 'success' && status !== 'error' && status !== 'dead')) return 0
    const failed = error && { code: error.code }
    const checkpoint = answer === null ? null : String(answer)
    const data = { thread_id: thread, run_id: run, graph_id: graph, status, checkpoint_id: checkpoint, error: failed }
    return this.#put(tenant, record, status === 'success' ? 'run.finished' : 'run.failed', data)
  }

  approvals(tenant: string, asked: readonly ApprovalRecord[]): number {
    const told = asked.map((record) => {
      const { id, thread, run, graph, kind, node, payload: text, expiresAt } = record
      const payload = new TextEncoder().encode(text).length <= mostBytes ? text : null
      const approval = { id, kind, node, payload, expires_at: expiresAt }
      const data = { thread_id: thread, run_id: run, graph_id: graph, approval }
      return this.#put(tenant, record, 'approval.requested', data)
    })
    return told.reduce((sum, count) => sum + count, 0)
  }

  #put(
    tenant: string,
    { thread, run, graph }: { thread: string; run: string; graph: string },
    topic: WebhookEvent,
    data: object,
  ): number {
    const endpoints = [...this.#tables.endpoints].filter(
      ({ tenant: of, record }) => of === tenant && record.disabledAt === null && record.events.includes(topic),
    )
    const createdAt = new Date(this.#now()).toISOString()
    const owner = this.#tables.threads.get(tenant)?.get(thread)?.record.owner
    for (const endpoint of endpoints) {
      const message = {
        ...{ tenant, id: `msg_${randomId().replaceAll('-', '')}`, thread, run, graph, topic },
        ...{ payload: JSON.stringify(data), attempt: 0, createdAt },
      }
      const fresh = { status: 'pending', dueAtMs: this.#now(), settledAtMs: undefined, token: undefined } as const
      this.#tables.messages.add({ message, endpoint, owner, ...fresh })
    }
    return endpoints.length
  }
}
