// Delivers what waits in the outbox: at least once, with backoff, each message to the handler of its topic.
import { isRecollectError } from '../kernel/errors.ts'
import { randomId } from '../kernel/id.ts'
import { decode } from '../kernel/json.ts'
import type { Fate, Outbox, OutboxMessage } from '../ports/outbox.ts'
import type { WebhookScope } from '../ports/webhooks.ts'
import type { Env } from './context.ts'
import { resend } from './resend.ts'

/** A message as its handler gets it. */
export interface Delivery extends Omit<OutboxMessage, 'payload'> {
  /** As it was sent. */
  readonly payload: unknown
}

/**
 * Gives a message to the outside. It may be called again with the same `id`, after it has succeeded too: pass the id on. One
 * that throws, or takes longer than 20 s, is called again later, up to ten times over three days; a RecollectError that is not
 * `retryable` ends it. `signal` aborts when its time is over.
 */
export type Deliver = (message: Delivery, context: { readonly env: Env; readonly signal: AbortSignal }) => unknown

/** A graph's handlers, and what they are called with. */
export interface Deliverer {
  readonly deliver: Readonly<Record<string, Deliver>>
  readonly env: Env
}

/** In attempts. */
export interface DeliveryResult {
  readonly delivered: number
  /** To be tried again later. */
  readonly postponed: number
  /** Given up. */
  readonly failed: number
}

/** What tells endpoints of a tenant at once what is in the outbox for them. */
export interface WebhookSender {
  /** What is due of `of`, until nothing is or `untilMs`, by `performance.now()`, has come. Throws when storage is away. */
  deliver(of: WebhookScope, untilMs?: number): Promise<DeliveryResult>
}

/** At once in one isolate: six connections is what a Worker has. */
const atOnce = 4
const timeoutMs = 20_000
const leaseMs = 60_000
const settlePatienceMs = 5_000

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** From one attempt to the next, as Standard Webhooks 1.0 has it. */
const pausesMs = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]

/** `run`: only what this run has sent. Goes on until nothing is due or `untilMs`, by `performance.now()`, has come. */
export async function deliverMessages(
  outbox: Outbox,
  deliverers: Readonly<Record<string, Deliverer>>,
  run: { readonly tenant: string; readonly run: string } | null,
  untilMs = Number.POSITIVE_INFINITY,
): Promise<DeliveryResult> {
  const graphs = Object.keys(deliverers)
  const counts = { delivered: 0, pending: 0, failed: 0 }
  while (performance.now() < untilMs) {
    const token = randomId()
    const messages = await outbox.take({ graphs, run, token, limit: atOnce, leaseMs })
    const fates = await Promise.all(
      messages.map(async (message) => {
        const fate = await fateOf(message, deliverers[message.graph])
        // Not settled: it is delivered again.
        await resend(() => outbox.settle({ ...message, token }, fate), settlePatienceMs).catch(() => {})
        return fate
      }),
    )
    for (const { status } of fates) counts[status]++
    if (messages.length < atOnce) break
  }
  const { delivered, pending: postponed, failed } = counts
  return { delivered, postponed, failed }
}

async function fateOf(message: OutboxMessage, deliverer: Deliverer | undefined): Promise<Fate> {
  const { topic, attempt } = message
  const handler = deliverer?.deliver[topic]
  if (deliverer === undefined || handler === undefined) return later(attempt, `nobody delivers "${topic}"`)
  try {
    const payload = decode(message.payload)
    await inTime(timeoutMs, (signal) => handler({ ...message, payload }, { env: deliverer.env, signal }))
    return { status: 'delivered' }
  } catch (error) {
    // Of a foreign error its name alone: what it says may hold the payload.
    const reason = isRecollectError(error) ? error.message : error instanceof Error ? error.name : typeof error
    if (isRecollectError(error) && !error.retryable) return { status: 'failed', error: reason }
    return later(attempt, reason, isRecollectError(error) ? error.retryAfterMs : undefined)
  }
}

function later(attempt: number, error: string, atLeastMs = 0): Fate {
  const dueInMs = pauseAfter(attempt, atLeastMs)
  return dueInMs === undefined ? { status: 'failed', error } : { status: 'pending', dueInMs, error }
}

/**
 * Until the next attempt; `undefined`: that was the last. With up to a fifth of chance, so that what failed together does not come
 * again together.
 */
export function pauseAfter(attempt: number, atLeastMs = 0): number | undefined {
  const pauseMs = pausesMs[attempt - 1]
  return pauseMs && Math.round(Math.max(pauseMs * (1 + Math.random() / 5), atLeastMs))
}

/** The end of the work, or of its time, whether or not it heeds the signal. */
export async function inTime<Result>(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Result> | Result,
): Promise<Result> {
  const aborting = new AbortController()
  const timer = setTimeout(() => aborting.abort(new DOMException('Too slow.', 'TimeoutError')), timeoutMs)
  try {
    return await new Promise<Result>((resolve, reject) => {
      aborting.signal.addEventListener('abort', () => reject(aborting.signal.reason))
      Promise.resolve(work(aborting.signal)).then(resolve, reject)
    })
  } finally {
    clearTimeout(timer)
  }
}
