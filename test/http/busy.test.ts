// A second run on a busy thread, runs in the background, and runs that are asked for twice, in the LangGraph wire.
import { expect, test } from 'vitest'
import { until } from '../until.ts'
import { type Answer, deployment, framesOf, said, tokenFor } from './deployment.ts'

const chat = { assistant_id: 'chat', input: said('hello'), if_not_exists: 'create' }
const kinds = ({ text }: Answer) => framesOf(text).map(({ event }) => event)

test('on a busy thread a run that is willing to wait is run next, in line', async () => {
  const { as, open } = deployment()
  const send = as()
  const waits = { ...chat, assistant_id: 'waits' }
  const first = send('POST', '/threads/t1/runs/wait', { ...waits, input: said('one') })
  await until(async () => expect((await send('GET', '/threads/t1')).body.status).toBe('busy'))
  const second = send('POST', '/threads/t1/runs/wait', { ...waits, input: said('two'), multitask_strategy: 'enqueue' })
  await until(async () => expect((await send('GET', '/threads/t1/runs')).body).toHaveLength(2))
  expect((await send('GET', '/threads/t1/runs')).body[0]).toMatchObject({ status: 'pending' })
  open()
  expect((await first).body.messages).toMatchObject([{ content: 'one' }])
  expect((await second).body.messages).toMatchObject([{ content: 'one' }, { content: 'two' }])
})

test.each([
  ['interrupt', ['one', 'two']],
  ['rollback', ['two']],
] as const)('a run with "%s" pushes the one at work aside', async (strategy, kept) => {
  const { as, open } = deployment()
  const send = as()
  const waits = { ...chat, assistant_id: 'waits' }
  const first = send('POST', '/threads/t1/runs/stream', { ...waits, input: said('one') })
  await until(async () => expect((await send('GET', '/threads/t1')).body.status).toBe('busy'))
  const second = send('POST', '/threads/t1/runs/wait', { ...waits, input: said('two'), multitask_strategy: strategy })
  expect(kinds(await first).at(-1)).toBe('error')
  open()
  const { body } = await second
  expect(body.messages.map(({ content }: { content: string }) => content)).toEqual(kept)
  expect((await send('GET', '/threads/t1/runs')).body[1]).toMatchObject({ status: 'interrupted' })
})

test('a run in the background answers at once, and is joined', async () => {
  const { as, open } = deployment()
  const send = as()
  const begun = await send('POST', '/threads/t1/runs', { ...chat, assistant_id: 'waits' })
  expect(begun).toMatchObject({ status: 200, body: { status: 'running', thread_id: 't1' } })
  const joined = send('GET', `/threads/t1/runs/${begun.body.run_id}/join`)
  open()
  expect((await joined).body).toMatchObject({ noted: 'done' })
})

test('the same Idempotency-Key is the same run', async () => {
  const { as, app } = deployment()
  const send = as()
  const post = async (thread: string, content: string, key: string) => {
    const response = await app.request(`/threads/${thread}/runs/wait`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await tokenFor()}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify({ ...chat, input: said(content) }),
    })
    return { status: response.status, run: response.headers.get('content-location'), body: await response.json() }
  }
  const first = await post('t1', 'hello', 'k1')
  expect(await post('t1', 'hello', 'k1')).toEqual(first)
  expect((await send('GET', '/threads/t1/runs')).body).toHaveLength(1)
  expect(await post('t1', 'something else', 'k1')).toMatchObject({ status: 422, body: { code: 'key_reused' } })
  expect((await post('t2', 'something else', 'k1')).body.messages).toHaveLength(2)
  expect(await post('t1', 'hello', 'with space')).toMatchObject({ status: 400, body: { code: 'id_invalid' } })
  const [one, two] = await Promise.all([post('t3', 'hello', 'k'), post('t3', 'hello', 'k')])
  expect(two?.body).toEqual(one?.body)
})
