// A support desk that keeps a part of everything that can be kept of somebody, a canary in each, on services of its own.
import { neon } from '@neondatabase/serverless'
import { afterAll, afterEach, beforeAll, vi } from 'vitest'
import * as z from 'zod/mini'
import { embedded } from '../bench/servers.ts'
import { type TemporaryServices, temporaryServices } from '../bench/stack.ts'
import { indexKindOf } from '../local/vector/index-kind.ts'
import { serve } from '../src/http/index.ts'
import {
  append,
  callsTools,
  END,
  extraction,
  messages,
  recalled,
  recallNode,
  recallTool,
  rememberTool,
  StateGraph,
  sweep,
  type Tool,
  tool,
  toolNode,
  WebhookOffice,
} from '../src/index.ts'
import { type Script, scriptedModel } from '../src/testing/index.ts'
import { compile } from '../workers/compile.ts'
import { said, secret, tokenFor } from './http/deployment.ts'
import type { Leftovers } from './leftovers.ts'
import { isExtraction, writing } from './memory/extracting.ts'
import { withoutTimeLimits } from './time-limits.ts'

withoutTimeLimits()
export let services: TemporaryServices
beforeAll(async () => {
  // An index that embeds keeps the texts themselves.
  services = await temporaryServices(embedded, { vector: indexKindOf('hybrid') })
})
afterAll(() => services?.close())
afterEach(() => vi.restoreAllMocks())

export const canary = 'canary7f3a'

interface Choices {
  readonly thinks?: Script
  /** In every state, and in what is sent. */
  readonly word?: string
  readonly tools?: readonly Tool[]
}

/** Of the support desk's storage: a graph with a part of everything that can be kept of somebody. */
export function deployed({ thinks = script, word = canary, tools: more = [] }: Choices = {}) {
  const { checkpointer, cache, events, store } = compile(services.variables)
  const storage = { checkpointer, store, ...(cache && { cache }), ...(events && { events }) }
  const webhooks = new WebhookOffice({ store: checkpointer.webhooks, secret: 's'.repeat(32), anywhere: true })
  const refund = tool('refund', {
    description: 'Refund an order.',
    input: z.object({ order: z.string() }),
    approval: true,
    run: ({ order }) => `refunded ${order}`,
  })
  const tools = [rememberTool(), recallTool(), refund, ...more]
  const shaky = { fails: false }
  const desk = new StateGraph({
    state: { messages: messages(), recalled: recalled(), log: append<string>() },
    nodes: {
      recall: recallNode(),
      told: async (_, { outbox, task }) => {
        outbox('told', word)
        outbox('stuck', word)
        return { log: await task('part', () => word) }
      },
      shaky: () => {
        if (shaky.fails) throw new Error('not now')
      },
      reply: async (state, { model }) => ({
        messages: await model.reply(state.messages, { tools, recalled: state.recalled }),
      }),
      tools: toolNode(tools),
    },
    edges: {
      start: ['recall', 'told', 'shaky'],
      recall: 'reply',
      reply: (state) => (callsTools(state) ? 'tools' : END),
      tools: 'reply',
    },
  }).compile({
    ...{ ...storage, webhooks, name: 'desk', model: scriptedModel(thinks), extract: extraction({ afterMs: 1 }) },
    deliver: {
      told: () => {},
      stuck: () => {
        throw new Error('away')
      },
    },
  })
  const graphs = { desk }
  const app = serve({ graphs, ...storage, webhooks, auth: { secret } })
  const as = (sub: string, scope = 'chat') => {
    return async (method: string, path: string, body?: object) => {
      const headers = { authorization: `Bearer ${await tokenFor({ sub, scope })}` }
      const deferred: Promise<unknown>[] = []
      const context = { waitUntil: (work: Promise<unknown>) => void deferred.push(work), passThroughOnException() {} }
      const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
      const response = await app.request(path, init, {}, { ...context, props: {} })
      const text = await response.text()
      await Promise.allSettled(deferred)
      return { status: response.status, text, body: text === '' ? undefined : parsed(text) }
    }
  }
  const swept = () => sweep({ checkpointer, graphs, cache, events, store, webhooks })
  return { app, as, shaky, store, cache, events, checkpointer, swept, webhooks }
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
function parsed(text: string): any {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Calls the tool that it is told to call, says what that gave, and extracts a fact of all that is said. */
const script: Script = (conversation, request) => {
  const last = conversation.at(-1)
  if (isExtraction(request)) return writing({ action: 'add', text: `Likes the ${canary}.`, from: [1] })
  if (last?.role !== 'user') return `So be it: ${last?.content}`
  const [, name, given] = /^use (\w+) (.*)$/.exec(last.content) ?? []
  return name === undefined ? `Heard: ${last.content}` : { calls: [{ name, arguments: JSON.parse(given ?? '{}') }] }
}

export const asking = (content: string) => ({
  ...{ assistant_id: 'desk', input: said(content), if_not_exists: 'create', stream_resumable: true },
})
export const use = (name: string, given: object) => asking(`use ${name} ${JSON.stringify(given)}`)

/** Where the canary is. */
export function placesOf({ rows, keys, vectors }: Leftovers): string[] {
  const tables = rows.filter((row) => row.includes(canary)).map((row) => row.slice(0, row.indexOf(' ')))
  const redis = keys.some(({ name, elements }) => `${name} ${elements}`.includes(canary)) ? ['Redis'] : []
  return [...new Set([...tables, ...redis, ...(vectors.some((row) => row.includes(canary)) ? ['Vector'] : [])])].sort()
}

/** What is due later is due now. */
export async function settled(swept: () => Promise<unknown>) {
  for (let time = 0; time < 3; time++) {
    await neon(services.variables.DATABASE_URL ?? '').query('update recollect.outbox set due_at = now(), token = null')
    await swept()
  }
}
