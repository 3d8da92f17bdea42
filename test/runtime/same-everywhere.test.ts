// One scripted graph gives equal states and history on the in-memory checkpointer and on Neon.
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { memoryCache, memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { tool } from '../../src/agent/tool.ts'
import {
  append,
  callsTools,
  channel,
  command,
  END,
  last,
  messages,
  modelNode,
  removeMessage,
  StateGraph,
  send,
  toolNode,
  user,
} from '../../src/index.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'

let database: NeonDatabase
beforeAll(async () => {
  database = await pgliteDatabase()
})
afterAll(() => database?.close())

const look = tool('look', {
  description: 'Look something up.',
  input: z.object({ word: z.string() }),
  run: ({ word }) => ({ word, odd: '\u0000 \ud83d 😀' }),
})

const state = {
  messages: messages(),
  seen: append<unknown>(),
  sum: channel({ initial: () => 0, reduce: (sum: number, add: number) => sum + add }),
  window: channel({ initial: (): number[] => [], reduce: (list: number[], next: number) => [...list, next].slice(-3) }),
  odd: last<unknown>(),
}

/** A model, tools, a fan-out, a join, odd values, an early message edited, one removed, and a failure now and then. */
const graph = new StateGraph({
  state,
  nodes: {
    model: modelNode({ tools: [look] }),
    tools: toolNode([look]),
    fan: ({ messages: said }) =>
      command({ goto: [...said.slice(-2).map(({ id }) => send('each', { odd: id })), 'left', 'right'] }),
    each: ({ odd }) => ({ seen: { odd, at: new Date(0) }, sum: 1 }),
    left: ({ window }) => ({ window: window.length, odd: new Map([[-0, new Set([1n])]]) }),
    right: () => ({ sum: 10, odd: undefined }),
    both: {
      join: true,
      run: ({ messages: said, sum }) => {
        if (sum % 5 === 0) throw new Error('now and then')
        const [first, second] = said
        const edited = first?.role === 'user' ? [{ ...first, content: `${first.content} (edited)` }] : []
        return { messages: [...edited, ...(said.length > 8 && second ? [removeMessage(second.id)] : [])] }
      },
    },
  },
  edges: {
    start: 'model',
    model: (now) => (callsTools(now) ? 'tools' : 'fan'),
    tools: 'model',
    left: 'both',
    right: 'both',
    both: END,
  },
})

async function told(checkpointer: Checkpointer, cached: boolean) {
  const model = scriptedModel((said) => {
    const latest = said.at(-1)
    if (latest?.role === 'tool') return `It says ${latest.content.length}.`
    return said.length % 3 === 0 ? { calls: [{ name: 'look', arguments: { word: 'x' } }] } : 'Hello there, again.'
  })
  const app = graph.compile({ checkpointer, model, deepFreeze: true, ...(cached && { cache: memoryCache() }) })
  const at = { tenant: cached ? 'cached' : 'plain', user: 'ada', thread: 't-1' }
  const answers: unknown[] = []
  for (let number = 1; number <= 15; number++) {
    const input = number % 7 === 0 ? null : { messages: user(`turn ${number} ${'x'.repeat(900)}`) }
    const outcome = app.run(input, { ...at, run: `run-${number}` })
    answers.push(await outcome.catch((error: { code: string; message: string }) => [error.code, error.message]))
  }
  const history = await app.history(at, { limit: 1_000 })
  return { answers, history: history.map(({ createdAt: _, ...checkpoint }) => checkpoint), state: history[0]?.values }
}

test('memory and Neon, with a cache and without, give the same answers, states and history', async () => {
  const expected = await told(memoryCheckpointer(), false)
  expect(expected.history.length).toBeGreaterThan(50)
  expect(JSON.stringify(expected.answers)).toContain('node_failed')
  expect(await told(memoryCheckpointer(), true)).toEqual(expected)
  expect(await told(database.checkpointer, false)).toEqual(expected)
  expect(await told(database.checkpointer, true)).toEqual(expected)
})
