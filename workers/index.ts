// The Worker's entry points: requests, and the cron that finishes what was cut off.
import { problemResponse } from '../src/http/index.ts'
import { asRecollectError, type Env, isRecollectError, sweep } from '../src/index.ts'
import type { Orphan } from '../src/ports/index.ts'
import { type Composition, compile } from './compile.ts'

interface WorkerContext {
  waitUntil(work: Promise<unknown>): void
  passThroughOnException(): void
  readonly props: unknown
}

/** When Redis knows of no turn, Postgres is asked all the same once an hour. */
const hourMs = 3_600_000
const cronEveryMs = 60_000

export default {
  fetch(request: Request, env: Env, context: WorkerContext): Response | Promise<Response> {
    let composition: Composition
    try {
      composition = compile(env)
    } catch (error) {
      // Its message names settings, never their values.
      console.error(error)
      return problemResponse(asRecollectError(error, 'internal', 'The Worker could not start.'))
    }
    const { app, activity, health } = composition
    tellOnce(health)
    if (activity !== undefined && request.method !== 'GET') context.waitUntil(activity.mark())
    return app.fetch(request, env, context)
  },

  async scheduled({ scheduledTime }: { scheduledTime: number }, env: Env): Promise<void> {
    const { activity, checkpointer, graphs, cache, events, store, webhooks: office } = compile(env)
    const hourly = scheduledTime % hourMs < cronEveryMs
    if (activity !== undefined && !hourly && !(await activity.seen())) return
    try {
      const { runs, messages, webhooks, threads, items } = await sweep({
        checkpointer,
        graphs,
        cache,
        events,
        store,
        webhooks: office,
      })
      const counts = { ...runs, ...messages, expired: threads.expired + items.expired }
      const all = [...Object.values(counts), ...Object.values(webhooks)]
      if (all.some((count) => count > 0)) console.log(`sweep: ${JSON.stringify({ ...counts, webhooks })}`)
    } catch (error) {
      // The next one does what this one could not. Of an error of ours the sentence is enough.
      console.error(isRecollectError(error) ? `sweep: ${error.message}` : error)
    }
  },

  /** Runs that a Worker had to give back: a consumer has minutes for each. Optional, see docs/operations.md. */
  async queue({ messages }: { readonly messages: readonly RunMessage[] }, env: Env): Promise<void> {
    const { graphs } = compile(env)
    for (const message of messages) {
      try {
        await graphs[message.body.graph]?.finish(message.body)
        message.ack()
      } catch (error) {
        // A run that failed has ended. One that storage was away for is due still, for this queue or for the cron.
        if (isRecollectError(error) && error.code === 'storage_unavailable') message.retry({ delaySeconds: 30 })
        else message.ack()
      }
    }
  },
}

interface RunMessage {
  readonly body: Orphan
  ack(): void
  retry(options: { readonly delaySeconds: number }): void
}

let told = false

/** So that two deployments on two databases are seen at a glance. */
function tellOnce(health: Composition['health']): void {
  if (told) return
  told = true
  const connected = Object.entries(health).map(([name, { fingerprint }]) => `${name} ${fingerprint}`)
  console.log(`recollect is connected to ${connected.join(', ')}`)
}
