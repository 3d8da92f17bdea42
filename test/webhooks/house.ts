// An office for webhooks with a graph that asks a person, and receivers that are closed after the test that opened them.
import { afterEach, expect, vi } from 'vitest'
import * as z from 'zod/mini'
import {
  append,
  type CompileOptions,
  interrupt,
  StateGraph,
  sweep,
  WebhookOffice,
  type WebhookOptions,
} from '../../src/index.ts'
import { randomId } from '../../src/kernel/id.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import { until } from '../until.ts'
import { type Receiver, type Reply, receiver } from './receiver.ts'

export const secret = 'a secret that seals, of tests: 32 bytes'
const refund = interrupt('tool', {
  payload: z.object({ tool: z.string(), arguments: z.unknown() }),
  answer: z.object({ ok: z.boolean() }),
})
export const shown = { tool: 'refund', arguments: { order: 'A1', cents: 9_900, odd: 'a\u0000b' } }

const open: Receiver[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const one of open.splice(0)) await one.close()
})

export function house(
  checkpointer: Checkpointer,
  options: Partial<WebhookOptions> = {},
  compiling: CompileOptions = {},
) {
  const office = new WebhookOffice({ store: checkpointer.webhooks, secret, anywhere: true, ...options })
  const graph = new StateGraph({
    state: { log: append<string>() },
    nodes: {
      ask: {
        interrupts: [refund],
        run: async (state, { interrupt }) => {
          if (state.log.includes('fail')) throw new Error('the password is hunter2')
          if (state.log.includes('quiet')) return { log: 'said nothing' }
          const { ok } = await interrupt(refund, shown)
          return { log: ok ? 'refunded' : 'not refunded' }
        },
      },
    },
    edges: { start: 'ask' },
  })
  const app = graph.compile({ checkpointer, webhooks: office, ...compiling })
  return { office, app, swept: () => sweep({ checkpointer, graphs: { default: app }, webhooks: office }) }
}

export async function receiving(...replies: Reply[]) {
  const one = await receiver(...replies)
  open.push(one)
  return one
}

export const place = () => ({ tenant: `tenant-${randomId()}`, user: 'ada', thread: 'thread' })
export const arrived = (one: Receiver, count: number) => until(() => expect(one.received).toHaveLength(count))
