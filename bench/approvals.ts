// From an answer that came by signed webhook to the first event of the run that goes on, as somebody who watches the thread hears it.
import { sign } from 'hono/jwt'
import { serve } from '../src/http/index.ts'
import { user } from '../src/index.ts'
import { signWebhook } from '../src/kernel/webhook.ts'
import { percentiles } from './percentile.ts'
import type { ServerChoices } from './servers.ts'
import { type Stack, stack } from './stack.ts'

const rounds = 60
const warmUp = 5
/** Added to every trip to Postgres and to Redis, in milliseconds. */
const distances = [0, 20]

const tenant = 'bench'
const secret = 'the secret of tokens in this bench, long'
const key = `whsec_${Buffer.from('the key of webhooks in the bench').toString('base64')}`

export async function approvals(choices: ServerChoices): Promise<Record<string, unknown>> {
  const running = await stack(choices, { chunkDelayMs: 0 })
  const { postgres, redis } = running.services.standIns
  const house = houseOf(running)
  try {
    const figures: Record<string, unknown> = { rounds }
    for (const rttMs of distances) {
      postgres.knobs.latencyMs = rttMs
      redis.knobs.latencyMs = rttMs
      for (const [name, watch] of Object.entries({ here, elsewhere })) {
        const taken: Round[] = []
        for (let round = -warmUp; round < rounds; round++) {
          const measured = await once(house, watch, `${name}-${rttMs}-${round}`)
          if (round >= 0) taken.push(measured)
        }
        figures[`rtt${rttMs} ${name}`] = {
          acceptedMs: percentiles(taken.map(({ acceptedMs }) => acceptedMs)),
          resumedMs: percentiles(taken.map(({ resumedMs }) => resumedMs)),
        }
      }
    }
    return figures
  } finally {
    await running.close()
  }
}

function houseOf({ graphs, checkpointer, cache, events }: Stack) {
  const storage = { checkpointer, ...(cache && { cache }), ...(events && { events }) }
  const app = serve({ graphs, ...storage, webhooks: { keys: async () => [key] }, auth: { secret } })
  return { app, support: graphs.support }
}

type House = ReturnType<typeof houseOf>

interface Round {
  /** From the request to its answer. */
  readonly acceptedMs: number
  /** From the request to the first that is told of the run that goes on. */
  readonly resumedMs: number
}

async function once({ app, support }: House, watch: Watch, thread: string): Promise<Round> {
  const input = { messages: [user('call refund with {"order":"A2","cents":48000}')] }
  const { run, interrupts } = await support.run(input, { tenant, user: 'bench', thread })
  const data = { id: interrupts[0]?.id, answer: { decision: 'approve' }, run_id: run }
  const body = JSON.stringify({ type: 'approval.answered', data })
  const headers = { ...signWebhook({ id: thread, body, nowMs: Date.now() }, [key]) }
  const startedAt = performance.now()
  const response = await app.request(`/webhooks/${tenant}/approvals`, { method: 'POST', body, headers })
  const acceptedMs = performance.now() - startedAt
  if (response.status !== 200) throw new Error(`The webhook was answered with ${response.status}.`)
  const resumedMs = await watch({ app, support }, thread, run).then((at) => at - startedAt)
  await support.result({ tenant, user: 'bench', thread }, run)
  return { acceptedMs, resumedMs }
}

/** Gives when the first event of the run that goes on was told. */
type Watch = (house: House, thread: string, run: string) => Promise<number>

/** In the isolate that took the answer. */
const here: Watch = async ({ app }, thread, run) => {
  const token = await sign({ tenant, sub: 'bench', scope: 'chat', exp: Date.now() / 1_000 + 60 }, secret, 'HS256')
  const headers = { authorization: `Bearer ${token}` }
  const response = await app.request(`/threads/${thread}/runs/${run}/stream`, { headers })
  const decoder = new TextDecoder()
  for await (const bytes of response.body ?? []) {
    if (decoder.decode(bytes, { stream: true }).includes('event: values')) return performance.now()
  }
  throw new Error('The run that went on said nothing.')
}

/** In another, which reads what was recorded. */
const elsewhere: Watch = async ({ support }, thread, run) => {
  for await (const event of support.follow({ tenant, user: 'bench', thread }, run)) {
    if (event.type === 'checkpoint-saved' && event.step > 1) return performance.now()
  }
  throw new Error('The run that went on said nothing.')
}
