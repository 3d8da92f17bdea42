// Going back over HTTP: updates, forks, copies, diffs, and what is asked in a thread's state.
import { expect, test } from 'vitest'
import { deployment, said } from './deployment.ts'
import { travelling } from './travelling.ts'

type Send = ReturnType<ReturnType<typeof travelling>['as']>

async function ran() {
  const all = travelling()
  await all.run('abc', { log: 'in' })
  return { ...all, send: all.as() }
}

const history = async (send: Send, thread = 't1') =>
  (await send('GET', `/threads/${thread}/history?limit=100`)).body.map(
    ({ checkpoint }: { checkpoint: { checkpoint_id: string } }) => checkpoint.checkpoint_id,
  )

test('an update is a checkpoint of its own at the head, through the reducers', async () => {
  const { send } = await ran()
  const updated = await send('POST', '/threads/t1/state', { values: { log: 'mended', word: 'new' } })
  expect(updated).toMatchObject({
    status: 200,
    body: {
      checkpoint: { thread_id: 't1', checkpoint_ns: '', checkpoint_id: '5', checkpoint_map: null },
      configurable: { thread_id: 't1', checkpoint_ns: '', checkpoint_id: '5' },
    },
  })
  const { body } = await send('GET', '/threads/t1/state')
  expect(body.values).toMatchObject({ log: ['in', 'a1', 'b ', 'c', 'mended'], word: 'new' })
  expect(body.checkpoint.checkpoint_id).toBe('5')
})

test('an update from a checkpoint is a fork: the head moves, and the other branch stays readable', async () => {
  const { send } = await ran()
  for (const named of [{ checkpoint_id: '2' }, { checkpoint: { thread_id: 't1', checkpoint_id: '2' } }]) {
    const forked = await send('POST', '/threads/t1/state', { ...named, values: { word: 'fork' } })
    const id = forked.body.checkpoint.checkpoint_id
    expect(await history(send)).toEqual([id, '2', '1'])
    const { body } = await send('GET', '/threads/t1/state')
    expect(body).toMatchObject({ next: ['b'], parent_checkpoint: { checkpoint_id: '2' }, values: { word: 'fork' } })
  }
  const { body } = await send('GET', '/threads/t1/state/4')
  expect(body.values).toEqual({ messages: [], log: ['in', 'a1', 'b ', 'c'] })
})

test('as_node says what is due next, when an operator says it', async () => {
  const { send, as } = await ran()
  const operator = as({ scope: 'operate' })
  expect(await send('POST', '/threads/t1/state', { as_node: 'b' })).toMatchObject({ status: 403 })
  await operator('POST', '/threads/t1/state', { values: { log: 'as b' }, as_node: 'b' })
  expect((await send('GET', '/threads/t1/state')).body.next).toEqual(['c'])
  await operator('POST', '/threads/t1/state', { as_node: 'start' })
  expect((await send('GET', '/threads/t1/state')).body.next).toEqual(['a'])
})

test('the same Idempotency-Key is the same update', async () => {
  const { send } = await ran()
  const key = { 'idempotency-key': 'once' }
  const first = await send('POST', '/threads/t1/state', { values: { log: 'x' } }, key)
  expect((await send('POST', '/threads/t1/state', { values: { log: 'x' } }, key)).body).toEqual(first.body)
  const other = await send('POST', '/threads/t1/state', { values: { log: 'y' } }, key)
  expect(other).toMatchObject({ status: 422, body: { code: 'key_reused' } })
})

test.each([
  ['an unknown channel', { values: { lag: 'x' } }, /"lag".*Did you mean "log"/i],
  ['a channel that refuses', { values: { messages: [{ type: 'human', content: 7 }] } }, /messages\.0/],
  ['an unknown node', { values: {}, as_node: 'd' }, /no node "d"/],
  ['a reply that no model gave', { values: { messages: [{ type: 'ai', content: 'approved' }] } }, /"human"/],
  ['an unknown field', { value: {} }, /"value"/],
  ['values that are no object', { values: [1] }, /values/],
])('an update with %s is refused and writes nothing', async (_, body, told) => {
  const { as, send } = await ran()
  const answer = await as({ scope: 'operate' })('POST', '/threads/t1/state', body)
  expect(answer).toMatchObject({ status: 422, body: { code: 'input_invalid' } })
  expect(answer.body.detail).toMatch(told)
  expect(await history(send)).toEqual(['4', '3', '2', '1'])
})

test('a checkpoint that the thread does not have is unknown, also when another thread has it', async () => {
  const { send, run } = await ran()
  for (let time = 0; time < 3; time++) await run('abc', { log: 'in' }, 't2')
  const unknown = { status: 404, body: { code: 'checkpoint_unknown' } }
  expect(await send('POST', '/threads/t1/state', { checkpoint_id: '9', values: {} })).toMatchObject(unknown)
  expect(await send('POST', '/threads/t1/state', { checkpoint_id: '1e1', values: {} })).toMatchObject(unknown)
  expect(await send('GET', '/threads/t1/diff?from=1&to=9')).toMatchObject(unknown)
  const foreign = { checkpoint: { thread_id: 't2', checkpoint_id: '9' } }
  expect((await send('POST', '/threads/t1/state', foreign)).status).toBe(422)
  expect(await history(send)).toEqual(['4', '3', '2', '1'])
})

test("the threads of others are not there; an operator's token reaches those of the tenant", async () => {
  const { as, send } = await ran()
  for (const stranger of [as({ sub: 'sam' }), as({ tenant: 'other' }), as({ tenant: 'other', scope: 'operate' })]) {
    for (const asked of [
      stranger('POST', '/threads/t1/state', { values: {} }),
      stranger('POST', '/threads/t1/copy'),
      stranger('GET', '/threads/t1/diff?from=1&to=2'),
    ]) {
      expect(await asked).toMatchObject({ status: 404, body: { code: 'thread_unknown' } })
    }
  }
  const operator = as({ sub: 'olga', scope: 'operate' })
  expect(await operator('POST', '/threads/t1/state', { values: { log: 'by olga' } })).toMatchObject({ status: 200 })
  expect((await send('GET', '/threads/t1/state')).body.values.log.at(-1)).toBe('by olga')
  const copied = await operator('POST', '/threads/t1/copy')
  expect(await send('GET', `/threads/${copied.body.thread_id}`)).toMatchObject({ status: 200 })
})

test('an update while a run is at work is refused', async () => {
  const { as, open } = deployment()
  const send = as()
  const running = send('POST', '/threads/t1/runs/wait', {
    assistant_id: 'waits',
    input: said('hello'),
    if_not_exists: 'create',
  })
  await expect.poll(async () => (await send('GET', '/threads/t1')).body.status).toBe('busy')
  const refused = await send('POST', '/threads/t1/state', { values: { noted: 'x' } })
  expect(refused).toMatchObject({ status: 409, body: { code: 'thread_busy', retryable: true } })
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
  open()
  expect((await running).status).toBe(200)
  expect((await send('POST', '/threads/t1/state', { values: { noted: 'x' } })).status).toBe(200)
})

test('a copy has the same checkpoints and goes its own way', async () => {
  const { send, run } = await ran()
  await send('PATCH', '/threads/t1', { metadata: { topic: 'tea' } })
  const { body: copy } = await send('POST', '/threads/t1/copy')
  expect(copy).toMatchObject({ status: 'idle', metadata: { topic: 'tea' }, values: { log: ['in', 'a1', 'b ', 'c'] } })
  expect(copy.thread_id).not.toBe('t1')
  expect(await history(send, copy.thread_id)).toEqual(['4', '3', '2', '1'])
  await run('abc', { log: 'more' }, copy.thread_id)
  expect(await history(send)).toEqual(['4', '3', '2', '1'])
})

test('two checkpoints are compared, channel by channel', async () => {
  const { send } = await ran()
  const { body } = await send('GET', '/threads/t1/diff?from=1&to=3')
  expect(body).toEqual({
    from: { thread_id: 't1', checkpoint_ns: '', checkpoint_id: '1', checkpoint_map: null },
    to: { thread_id: 't1', checkpoint_ns: '', checkpoint_id: '3', checkpoint_map: null },
    channels: { log: { kind: 'list', added: ['a1', 'b '], removed: [], changed: [] } },
    next: { before: ['a'], after: ['c'] },
  })
  await send('POST', '/threads/t1/state', { values: { word: 'new', messages: said('hello').messages } })
  const later = (await send('GET', '/threads/t1/diff?from=4&to=5')).body
  expect(later.channels.word).toEqual({ kind: 'value', before: null, after: 'new' })
  expect(later.channels.messages).toMatchObject({ after: [{ type: 'human', content: 'hello' }] })
  expect((await send('GET', '/threads/t1/diff?from=4')).status).toBe(422)
})

test('a thread that waits says so, with what is asked, wherever it is read', async () => {
  const { as, asked, refunds } = travelling()
  const send = as()
  await asked()
  const { body: state } = await send('GET', '/threads/t1/state')
  const value = { tool: 'refund', callId: 'c2', arguments: { order: 'A-17', cents: 9_900 } }
  expect(state).toMatchObject({
    next: ['tools'],
    tasks: [{ name: 'tools', interrupts: [{ kind: 'tool-approval', node: 'tools', value }] }],
  })
  expect(state.interrupts).toEqual(state.tasks[0].interrupts)
  const { body: thread } = await send('GET', '/threads/t1')
  expect(thread).toMatchObject({ status: 'interrupted', interrupts: { [state.tasks[0].id]: state.interrupts } })
  expect((await send('POST', '/threads/search', { status: 'interrupted' })).body).toEqual([thread])
  expect((await send('POST', '/threads/count', { status: 'interrupted' })).body).toBe(1)
  const [newest, ...earlier] = (await send('GET', '/threads/t1/history')).body
  expect(newest).toEqual(state)
  expect(earlier.flatMap(({ interrupts }: { interrupts: unknown[] }) => interrupts)).toEqual([])
  const selected = await send('POST', '/threads/search', { select: ['thread_id', 'interrupts'] })
  expect(selected.body).toEqual([{ thread_id: 't1', interrupts: thread.interrupts }])
  expect(refunds).toEqual([])
})

test('what is asked goes neither with a copy nor with a fork, and an update withdraws it', async () => {
  const { as, asked, refunds } = travelling()
  const send = as({ scope: 'chat approve' })
  await asked()
  const [{ id }] = (await send('GET', '/threads/t1/state')).body.interrupts
  const { body: copy } = await send('POST', '/threads/t1/copy')
  expect(copy).toMatchObject({ status: 'idle', interrupts: {} })
  expect((await send('GET', `/threads/${copy.thread_id}/state`)).body).toMatchObject({
    next: ['tools'],
    interrupts: [],
  })
  await send('POST', '/threads/t1/state', { checkpoint_id: '3', values: said('approved') })
  expect((await send('GET', '/threads/t1')).body).toMatchObject({ status: 'idle', interrupts: {} })
  expect((await send('GET', `/approvals/${id}`)).body).toMatchObject({ status: 'cancelled' })
  expect(refunds).toEqual([])
})
