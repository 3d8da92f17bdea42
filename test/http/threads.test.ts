// Threads in the LangGraph wire.
import { expect, test, vi } from 'vitest'
import { memoryCache } from '../../src/adapters/memory/index.ts'
import { RecollectError, sweep } from '../../src/index.ts'
import { until } from '../until.ts'
import { deployment, said } from './deployment.ts'

test('a thread is created, read, changed and deleted', async () => {
  const send = deployment().as()
  const made = await send('POST', '/threads', { thread_id: 't1', metadata: { topic: 'tea' } })
  expect(made.status).toBe(200)
  expect(made.body).toMatchObject({
    thread_id: 't1',
    metadata: { topic: 'tea' },
    status: 'idle',
    values: {},
    interrupts: {},
  })
  expect((await send('GET', '/threads/t1')).body).toEqual(made.body)
  const changed = await send('PATCH', '/threads/t1', { metadata: { topic: null, mood: 'calm' } })
  expect(changed.body.metadata).toEqual({ mood: 'calm' })
  expect((await send('PATCH', '/threads/t1', { metadata: {} }, { prefer: 'return=minimal' })).status).toBe(204)
  expect((await send('DELETE', '/threads/t1')).status).toBe(204)
  expect(await send('GET', '/threads/t1')).toMatchObject({ status: 404, body: { code: 'thread_unknown' } })
})

test('a thread without an id gets one', async () => {
  const made = await deployment().as()('POST', '/threads', {})
  expect(made.body.thread_id).toMatch(/^[0-9a-f-]{36}$/)
})

test('an id that is taken is refused, or given back where nothing is to be done', async () => {
  const send = deployment().as()
  await send('POST', '/threads', { thread_id: 't1', metadata: { a: 1 } })
  expect(await send('POST', '/threads', { thread_id: 't1' })).toMatchObject({
    status: 409,
    body: { code: 'thread_exists' },
  })
  const again = await send('POST', '/threads', { thread_id: 't1', if_exists: 'do_nothing', metadata: { b: 2 } })
  expect(again).toMatchObject({ status: 200, body: { metadata: { a: 1 } } })
})

test('an id that somebody else has taken is refused in the same words, also with do_nothing', async () => {
  const { as } = deployment()
  await as({ sub: 'sam' })('POST', '/threads', { thread_id: 't1' })
  await as()('POST', '/threads', { thread_id: 't2' })
  const theirs = await as()('POST', '/threads', { thread_id: 't1', if_exists: 'do_nothing' })
  const own = await as()('POST', '/threads', { thread_id: 't2' })
  expect(theirs.status).toBe(409)
  expect(theirs.text.replaceAll('t1', 't2')).toBe(own.text)
})

test('a thread shows the state at its head', async () => {
  const send = deployment().as()
  await send('POST', '/threads', { thread_id: 't1' })
  await send('POST', '/threads/t1/runs/wait', { assistant_id: 'chat', input: said('hello') })
  const { body } = await send('GET', '/threads/t1')
  expect(body.values.messages.map(({ type, content }: Record<string, string>) => [type, content])).toEqual([
    ['human', 'hello'],
    ['ai', 'You said hello'],
  ])
})

test('threads are searched by metadata, status and id, paged and counted', async () => {
  const send = deployment().as()
  for (const n of [1, 2, 3]) await send('POST', '/threads', { thread_id: `t${n}`, metadata: { odd: n % 2 === 1 } })
  const sorted = { sort_by: 'thread_id', sort_order: 'asc' }
  const page = await send('POST', '/threads/search', { ...sorted, limit: 2 })
  expect(page.body.map((thread: { thread_id: string }) => thread.thread_id)).toEqual(['t1', 't2'])
  expect([page.headers.get('x-pagination-total'), page.headers.get('x-pagination-next')]).toEqual(['3', '2'])
  const rest = await send('POST', '/threads/search', { ...sorted, limit: 2, offset: 2 })
  expect([rest.body.length, rest.headers.get('x-pagination-next')]).toEqual([1, null])
  expect((await send('POST', '/threads/search', { metadata: { odd: true } })).body).toHaveLength(2)
  expect((await send('POST', '/threads/search', { ids: ['t2', 'no'] })).body).toHaveLength(1)
  expect((await send('POST', '/threads/search', { status: 'interrupted' })).body).toEqual([])
  expect((await send('POST', '/threads/count', { metadata: { odd: true } })).body).toBe(2)
})

test('a search shows values, unless others are selected', async () => {
  const send = deployment().as()
  await send('POST', '/threads/t1/runs/wait', { assistant_id: 'chat', input: said('hello'), if_not_exists: 'create' })
  const [whole] = (await send('POST', '/threads/search', {})).body
  expect(whole.values.messages).toHaveLength(2)
  const [part] = (await send('POST', '/threads/search', { select: ['thread_id', 'status'] })).body
  expect(part).toEqual({ thread_id: 't1', status: 'idle' })
})

test('what is not supported is refused by name', async () => {
  const send = deployment().as()
  const refused = { status: 422, body: { code: 'feature_unsupported' } }
  const keepLatest = { ttl: { ttl: 60, strategy: 'keep_latest' } }
  expect(await send('POST', '/threads', keepLatest)).toMatchObject(refused)
  expect(await send('POST', '/threads', { supersteps: [{}] })).toMatchObject(refused)
  expect(await send('POST', '/threads/search', { values: { a: 1 } })).toMatchObject(refused)
  expect(await send('POST', '/threads/search', { extract: { a: 'b' } })).toMatchObject(refused)
  expect(await send('POST', '/threads/search', { sort_by: 'status' })).toMatchObject(refused)
})

test('deleting a thread also empties the cache of it', async () => {
  const { as, cache } = deployment()
  const send = as()
  await send('POST', '/threads/t1/runs/wait', { assistant_id: 'chat', input: said('hello'), if_not_exists: 'create' })
  const key = { tenant: 'acme', thread: 't1', owner: 'alex' }
  // It is written after the answer.
  await until(async () => expect(await cache.read(key)).not.toEqual([]))
  await as({ sub: 'olga', scope: 'operate' })('DELETE', '/threads/t1')
  expect(await cache.read(key)).toEqual([])
})

test('a thread with a time to live goes when it is over, from the database and from the cache', async () => {
  const { as, cache, checkpointer, graphs } = deployment()
  const send = as()
  for (const ttl of [0, -1, 'soon', { ttl: 1, strategy: 'archive' }, { minutes: 1 }, 1e9])
    expect(await send('POST', '/threads', { ttl })).toMatchObject({ status: 422, body: { code: 'input_invalid' } })
  await send('POST', '/threads', { thread_id: 't1', ttl: 1 })
  await send('POST', '/threads', { thread_id: 't2', ttl: { ttl: 1, strategy: 'delete' } })
  await send('POST', '/threads', { thread_id: 't3' })
  await send('PATCH', '/threads/t3', { ttl: 1 })
  await send('POST', '/threads/t4/runs/wait', { assistant_id: 'chat', input: said('a'), if_not_exists: 'create' })
  const key = { tenant: 'acme', thread: 't1', owner: 'alex' }
  await send('POST', '/threads/t1/runs/wait', { assistant_id: 'chat', input: said('hello') })
  await until(async () => expect(await cache.read(key)).not.toEqual([]))
  vi.useFakeTimers({ now: Date.now() + 61_000, toFake: ['Date'] })
  try {
    expect((await sweep({ checkpointer, graphs, cache })).threads).toEqual({ expired: 3 })
    expect(await cache.read(key)).toEqual([])
  } finally {
    vi.useRealTimers()
  }
  const left = (await send('POST', '/threads/search', {})).body
  expect(left.map(({ thread_id }: { thread_id: string }) => thread_id)).toEqual(['t4'])
})

test('threads are pruned: deleted, or down to their latest state; those of others are passed over', async () => {
  const { as } = deployment()
  const [alex, eve] = [as(), as({ sub: 'eve' })]
  for (const send of [alex, eve]) {
    for (const thread of ['t1', 't2']) {
      const body = { assistant_id: 'chat', input: said('a'), if_not_exists: 'create' }
      await send('POST', `/threads/${send === eve ? 'eve-' : ''}${thread}/runs/wait`, body)
    }
  }
  const prune = async (body: unknown) => (await alex('POST', '/threads/prune', body)).body
  expect(await prune({ thread_ids: ['t1', 'eve-t1', 'none'], strategy: 'keep_latest' })).toEqual({ pruned_count: 1 })
  expect((await alex('GET', '/threads/t1/state')).body.values.messages).toHaveLength(2)
  expect(await prune({ thread_ids: ['t1', 'eve-t1', 'none', 't1'] })).toEqual({ pruned_count: 1 })
  expect(await alex('GET', '/threads/t1')).toMatchObject({ status: 404 })
  expect(await eve('GET', '/threads/eve-t1')).toMatchObject({ status: 200 })
  expect(await alex('POST', '/threads/prune', { thread_ids: ['../x'] })).toMatchObject({ status: 400 })
})

test('nothing is said to be deleted while Redis will not forget it', async () => {
  const cache = memoryCache()
  const away = { ...cache, delete: () => Promise.reject(new RecollectError('storage_unavailable', 'Redis is away.')) }
  const send = deployment({ cache: away }).as()
  await send('POST', '/threads', { thread_id: 't1' })
  expect(await send('DELETE', '/threads/t1')).toMatchObject({ status: 503 })
  expect(await send('GET', '/threads/t1')).toMatchObject({ status: 200 })
})
