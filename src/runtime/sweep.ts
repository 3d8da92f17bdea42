// The sweep, which a cron calls: finishes what was cut off, delivers what is due, and deletes what has had its time.
import { dropExtractionLog } from '../memory/extraction-log.ts'
import type { Cache } from '../ports/cache.ts'
import type { Checkpointer, Orphan } from '../ports/checkpointer.ts'
import type { EventLog } from '../ports/event-log.ts'
import { type Store, storeGraph } from '../ports/store.ts'
import type { CompiledGraph } from './compiled-graph.ts'
import { type Deliverer, type DeliveryResult, deliverMessages, type WebhookSender } from './delivery.ts'

export interface SweepOptions {
  readonly checkpointer: Checkpointer
  /** By name: all that have runs, for those of others are given up after a day. */
  readonly graphs: Readonly<Record<string, CompiledGraph>>
  /** Forgets threads whose time is over, as the event log does. */
  readonly cache?: Cache | undefined
  readonly events?: EventLog | undefined
  /** Without it nothing that waits for endpoints is delivered. */
  readonly webhooks?: WebhookSender | undefined
  /** Without it no item expires, and an index is not told again of what it has missed. */
  readonly store?: Store | undefined
  /** After so long nothing new is begun. 45,000 ms unless told otherwise. */
  readonly budgetMs?: number
}

export interface SweepResult {
  readonly runs: {
    /** Due, and nobody worked on them. */
    readonly found: number
    readonly finished: number
    /** Failed again. What failed for want of storage stays due until it was tried five times. */
    readonly failed: number
    /** Runs of graphs that no Worker has had for a day: now dead, and their threads are usable. */
    readonly givenUp: number
  }
  readonly messages: DeliveryResult
  readonly webhooks: DeliveryResult
  readonly threads: { readonly expired: number }
  readonly approvals: { readonly expired: number }
  readonly items: { readonly expired: number }
}

const noDeliveries: DeliveryResult = { delivered: 0, postponed: 0, failed: 0 }

/** At once: a sweep shares its isolate, and six connections, with requests. */
const atOnce = 4
const page = 20
const day = 86_400_000
const settledForMs = 7 * day

/** Throws when storage is away; what it has not come to, the next one does. */
export async function sweep(options: SweepOptions): Promise<SweepResult> {
  const { checkpointer, graphs, store, webhooks: office, budgetMs = 45_000 } = options
  const untilMs = performance.now() + budgetMs
  const graphsOtherThan = Object.keys(graphs)
  // First: their runs are due then.
  const unanswered = await checkpointer.approvals.expire(page)
  const runs = await finishOrphans(checkpointer, graphs, untilMs)
  const forgotten = (await store?.expire(page * atOnce)) ?? 0
  const [givenUp, messages, webhooks, expired] = await Promise.all([
    checkpointer.giveUpRuns({ graphsOtherThan, olderThanMs: day }),
    deliverMessages(checkpointer.outbox, deliverersOf(graphs, store), null, untilMs),
    office?.deliver(null, untilMs) ?? noDeliveries,
    deleteExpired(options, untilMs),
    checkpointer.outbox.purge(settledForMs),
    checkpointer.approvals.purge(settledForMs),
    checkpointer.webhooks.purge(settledForMs),
  ])
  const approvals = { expired: unanswered }
  const items = { expired: forgotten }
  return { runs: { ...runs, givenUp }, messages, webhooks, threads: { expired }, approvals, items }
}

async function finishOrphans(
  checkpointer: Checkpointer,
  graphs: SweepOptions['graphs'],
  untilMs: number,
): Promise<{ found: number; finished: number; failed: number }> {
  const tried = new Set<string>()
  const counts = { found: 0, finished: 0, failed: 0 }
  const finish = async (orphan: Orphan) => {
    try {
      if (await graphs[orphan.graph]?.finish(orphan)) counts.finished++
    } catch {
      counts.failed++
    }
  }
  while (performance.now() < untilMs) {
    const orphans = await checkpointer.orphans({ graphs: Object.keys(graphs), limit: page })
    // One that failed for want of storage is still due, and is left to the next sweep.
    const fresh = orphans.filter(({ tenant, run }) => !tried.has(JSON.stringify([tenant, run])))
    if (fresh.length === 0) break
    for (const { tenant, run } of fresh) tried.add(JSON.stringify([tenant, run]))
    counts.found += fresh.length
    await inTurn(fresh, untilMs, finish)
  }
  return counts
}

/** Redis first: while it will not forget, nothing is said to be deleted. */
async function deleteExpired({ checkpointer, cache, events, store }: SweepOptions, untilMs: number): Promise<number> {
  const { threads } = checkpointer
  let deleted = 0
  await inTurn(await threads.expired(page), untilMs, async (thread) => {
    const log = { ...thread, user: thread.owner }
    await Promise.all([cache?.delete(thread), events?.delete(thread), dropExtractionLog(store, log)])
    if (!(await threads.deleteExpired(thread))) return
    deleted++
    // It may have been read in between.
    await dropExtractionLog(store, log)
  })
  return deleted
}

/** A few at once, and none after `untilMs`. */
async function inTurn<Item>(
  items: readonly Item[],
  untilMs: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = [...items]
  const worker = async () => {
    while (performance.now() < untilMs) {
      const item = waiting.shift()
      if (item === undefined) return
      await work(item)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

function deliverersOf(graphs: SweepOptions['graphs'], store: Store | undefined): Record<string, Deliverer> {
  const deliverers = Object.entries(graphs).map(([name, { deliverer }]): [string, Deliverer] => [name, deliverer])
  const ofStore = store?.deliver === undefined ? [] : [[storeGraph, { deliver: store.deliver, env: {} }] as const]
  return Object.fromEntries([...deliverers, ...ofStore])
}
