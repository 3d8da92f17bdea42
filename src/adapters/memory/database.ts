// The in-memory database: its tables, and the parts that work on them.
import { MemoryAnnouncements } from './announcements.ts'
import { MemoryApprovals } from './approvals.ts'
import { MemoryOutbox } from './outbox.ts'
import { MemoryRuns } from './runs.ts'
import type { Tables } from './tables.ts'
import { MemoryThreads } from './threads.ts'
import { MemoryWebhooks } from './webhooks.ts'

export class MemoryDatabase {
  readonly now: () => number
  readonly outbox: MemoryOutbox
  readonly approvals: MemoryApprovals
  readonly webhooks: MemoryWebhooks
  readonly announcements: MemoryAnnouncements
  readonly threads: MemoryThreads
  readonly runs: MemoryRuns

  constructor(now: () => number) {
    const tables: Tables = {
      threads: new Map(),
      runs: new Map(),
      messages: new Set(),
      approvals: new Set(),
      webhooks: new Map(),
      endpoints: new Set(),
      webhookKeys: new Set(),
      deliveries: new Set(),
    }
    this.now = now
    this.outbox = new MemoryOutbox(tables, now)
    this.approvals = new MemoryApprovals(tables, now)
    this.webhooks = new MemoryWebhooks(tables, now)
    this.announcements = new MemoryAnnouncements(tables, now)
    this.threads = new MemoryThreads(tables, this, now)
    this.runs = new MemoryRuns(tables, this, now)
  }
}
