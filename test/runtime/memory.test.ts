// The store and the memories in the context of a node: in its own tenant, once though it runs again, and named where none is given.
import { expect, test } from 'vitest'
import { memoryCheckpointer, memoryStore } from '../../src/adapters/memory/index.ts'
import { recalled, StateGraph } from '../../src/index.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { alex, graph } from './recalling-graph.ts'

test('a text that a task remembers twice, because it ran again, is one memory, with its author', async () => {
  const store = memoryStore()
  let attempts = 0
  const app = new StateGraph({
    state: { recalled: recalled() },
    nodes: {
      a: {
        retry: { attempts: 2, delayMs: 1 },
        run: async (_, { memory, user: person }) => {
          await memory('users', person).remember('likes tea', { tags: ['taste'] })
          await memory('users', person).remember('likes rain')
          if (++attempts === 1) throw new Error('again')
        },
      },
    },
    edges: { start: 'a' },
  }).compile({ checkpointer: memoryCheckpointer(), store })
  await app.invoke({}, { ...alex, thread: 't' })
  const { items } = await store.search({ tenant: 'acme', prefix: [] })
  expect(items).toMatchObject([{ version: 1, author: 'alex' }, { version: 1 }])
  expect(items.map(({ text }) => text).toSorted()).toEqual(['likes rain', 'likes tea'])
})

test('a node without a store, and a prebuilt one, are told which option is missing', async () => {
  const checkpointer = memoryCheckpointer()
  const model = scriptedModel(() => 'ok')
  expect(() => graph.compile({ checkpointer, model })).toThrow(/Node "recall" needs a store: compile\(\{ store: … \}\)/)
  const own = new StateGraph({
    state: { recalled: recalled() },
    nodes: { mine: async (_, context) => void (await context.store.get(['a'], 'k')) },
    edges: { start: 'mine' },
  }).compile({ checkpointer })
  const run = own.invoke({}, { ...alex, thread: 't' })
  await expect(run).rejects.toMatchObject({
    code: 'store_missing',
    message: expect.stringMatching(/"mine".*compile\(\{ store/),
  })
})

test('a node puts, gets, searches and deletes in its own tenant', async () => {
  const store = memoryStore()
  const seen: unknown[] = []
  const app = new StateGraph({
    state: { recalled: recalled() },
    nodes: {
      a: async (_, context) => {
        const { store: items } = context
        await items.put(['team', 'facts'], 'k', { text: 'checked' }, { tags: ['verified'] })
        const surplus = { tenant: 'other', tags: [] }
        await items.put(['team', 'facts'], 'k2', { text: 'second' }, surplus)
        seen.push((await items.get(['team', 'facts'], 'k'))?.value)
        seen.push((await items.search(['team'], { query: 'checked' })).items.length)
        seen.push(await items.delete(['team', 'facts'], 'k'), await items.listNamespaces())
        seen.push((await items.history(['team', 'facts'], 'k2')).length)
      },
    },
    edges: { start: 'a' },
  }).compile({ checkpointer: memoryCheckpointer(), store })
  await app.invoke({}, { ...alex, thread: 't' })
  expect(seen).toEqual([{ text: 'checked' }, 1, true, [['team', 'facts']], 1])
  expect((await store.search({ tenant: 'other', prefix: [] })).items).toEqual([])
})
