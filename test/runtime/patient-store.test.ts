// A run that reads memories while storage is away for a moment: it waits, as a commit does; what it writes is sent once.
import { expect, test, vi } from 'vitest'
import { memoryCheckpointer, memoryStore } from '../../src/adapters/memory/index.ts'
import { agent, RecollectError, rememberTool, user } from '../../src/index.ts'
import type { Store } from '../../src/ports/index.ts'
import { scriptedModel } from '../../src/testing/index.ts'

const away = () => Promise.reject(new RecollectError('storage_unavailable', 'Postgres did not answer.'))
const alex = { tenant: 'acme', user: 'alex', thread: 't' }

test('a recall is asked for again until storage answers', async () => {
  const store = memoryStore()
  await store.put({ tenant: 'acme', namespace: ['users', 'alex'], key: 'tea', value: { text: 'Alex drinks tea' } })
  const search = vi.fn(store.search.bind(store)).mockImplementationOnce(away).mockImplementationOnce(away)
  const model = scriptedModel(() => 'Tea.')
  const app = agent({ recall: true }).compile({
    checkpointer: memoryCheckpointer(),
    store: over(store, { search }),
    model,
  })
  await app.invoke({ messages: user('What do I drink: tea?') }, alex)
  expect(search).toHaveBeenCalledTimes(3)
  expect(model.requests[0]?.messages[0]?.content).toContain('Alex drinks tea')
})

test('what a tool remembers is sent once: the run fails, and when it goes on it is remembered once', async () => {
  const inner = memoryStore()
  const put = vi.fn(inner.put.bind(inner)).mockImplementationOnce(async (item) => {
    await inner.put(item)
    return away()
  })
  const call = { name: 'remember', arguments: { text: 'Alex sails' } }
  const model = scriptedModel((said) => (said.length === 1 ? { calls: [call] } : 'Noted.'))
  const tools = [rememberTool()]
  const app = agent({ tools }).compile({ checkpointer: memoryCheckpointer(), store: over(inner, { put }), model })
  const lost = app.invoke({ messages: user('remember it') }, alex)
  await expect(lost).rejects.toMatchObject({ code: 'storage_unavailable' })
  expect(put).toHaveBeenCalledTimes(1)
  await app.invoke(null, alex)
  const { items } = await inner.search({ tenant: 'acme', prefix: ['users', 'alex'], limit: 10 })
  expect(items.map(({ text }) => text)).toEqual(['Alex sails'])
})

test('a run that is cancelled waits for no memory', async () => {
  const cancelling = new AbortController()
  const search = vi.fn(() => {
    cancelling.abort()
    return away()
  })
  const store = over(memoryStore(), { search })
  const app = agent({ recall: true }).compile({
    checkpointer: memoryCheckpointer(),
    store,
    model: scriptedModel(() => ''),
  })
  const running = app.run({ messages: user('hi') }, { ...alex, signal: cancelling.signal })
  await expect(running).rejects.toMatchObject({ code: 'run_cancelled' })
  expect(search).toHaveBeenCalledTimes(1)
})

function over(store: Store, changed: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, name) => Reflect.get(changed, name) ?? Reflect.get(target, name),
  })
}
