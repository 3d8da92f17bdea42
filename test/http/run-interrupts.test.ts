// Runs over the LangGraph wire that stop and are gone on with: resume, goto, stops before nodes, forks.
import { expect, test } from 'vitest'
import { askingDeployment } from './asking.ts'
import { type Answer, framesOf, said } from './deployment.ts'

const wait = '/threads/t1/runs/wait'
const stream = '/threads/t1/runs/stream'
const resume = (answer: unknown) => ({ assistant_id: 'support', command: { resume: answer } })
const approver = { scope: 'chat approve' }
const approve = { decision: 'approve' }
const texts = ({ body }: Answer) => body.messages.map(({ content }: { content: string }) => content)

test('a run that asks gives what it asks with its state, and goes on with the answer under its own id', async () => {
  const { as, executed } = askingDeployment()
  const send = as(approver)
  const begun = await send('POST', wait, {
    assistant_id: 'support',
    input: said('order o1 6000'),
    if_not_exists: 'create',
  })
  expect(begun.body.messages).toHaveLength(2)
  expect(begun.body.__interrupt__).toEqual([
    {
      id: expect.stringMatching(/^ap_/),
      kind: 'tool-approval',
      node: 'tools',
      value: {
        tool: 'refund',
        description: 'Refunds an order.',
        callId: expect.any(String),
        arguments: { order: 'o1', cents: 6000 },
      },
    },
  ])
  expect(executed).toEqual([])
  const resumed = await send('POST', wait, resume(approve))
  expect(resumed.status).toBe(200)
  expect(resumed.headers.get('content-location')).toBe(begun.headers.get('content-location'))
  expect(texts(resumed).slice(2)).toEqual(['refunded 6000 cents on o1', 'The tool said: refunded 6000 cents on o1'])
  expect(resumed.body).not.toHaveProperty('__interrupt__')
  expect(executed).toEqual([{ order: 'o1', cents: 6000 }])
})

test('streams tell what is asked in the modes values and updates, and a resumed run is streamed on', async () => {
  const { as, executed } = askingDeployment()
  const send = as(approver)
  const stream_mode = ['values', 'updates', 'messages-tuple']
  const body = { assistant_id: 'support', input: said('order o1 6000'), if_not_exists: 'create', stream_mode }
  const asked = framesOf((await send('POST', stream, body)).text)
  expect(asked.slice(-2)).toMatchObject([
    { event: 'updates', data: { __interrupt__: [{ kind: 'tool-approval' }] } },
    { event: 'values', data: { __interrupt__: [{ kind: 'tool-approval' }] } },
  ])
  const resumed = await send('POST', stream, { ...resume(approve), stream_mode })
  const frames = framesOf(resumed.text)
  expect(frames[0]?.event).toBe('metadata')
  expect(frames.some(({ event, data }) => event === 'updates' && 'tools' in (data as object))).toBe(true)
  expect(JSON.stringify(frames.at(-1)?.data)).toContain('refunded 6000 cents')
  expect(executed).toHaveLength(1)
  const run = resumed.headers.get('content-location') ?? ''
  const joined = await send('GET', `${run}/join`)
  expect(texts(joined)).toHaveLength(4)
})

test('of several questions each is answered by its id; one answer alone leaves the run waiting', async () => {
  const { as, ask, executed } = askingDeployment()
  const send = as(approver)
  const [first, second] = await ask('order o1 10 and order o2 20')
  const vague = await send('POST', wait, resume(approve))
  expect(vague).toMatchObject({ status: 422, body: { code: 'input_invalid' } })
  expect(vague.body.detail).toContain('waits for 2 answers')
  const half = await send('POST', wait, resume({ [`${first?.id}`]: approve }))
  expect(half.body.__interrupt__).toMatchObject([{ id: second?.id }])
  expect(executed).toEqual([])
  const whole = await send('POST', wait, resume({ [`${second?.id}`]: { decision: 'reject', reason: 'no' } }))
  expect(texts(whole)).toContain('A person was asked and did not approve refund: no')
  expect(executed).toEqual([{ order: 'o1', cents: 10 }])
})

test('who may not approve is refused, and so is a second answer, another, a wrong one, and one to nothing', async () => {
  const { as, ask, executed } = askingDeployment()
  expect(await as(approver)('POST', wait, resume(approve))).toMatchObject({
    status: 404,
    body: { code: 'approval_unknown' },
  })
  await ask()
  expect(await as()('POST', wait, resume(approve))).toMatchObject({ status: 403, body: { code: 'approval_forbidden' } })
  const other = await as({ sub: 'eve', scope: 'chat approve' })('POST', wait, resume(approve))
  expect(other).toMatchObject({ status: 404 })
  expect(await as(approver)('POST', wait, resume('yes'))).toMatchObject({
    status: 422,
    body: { code: 'input_invalid' },
  })
  expect(executed).toEqual([])
  const keyed = { 'idempotency-key': 'k1' }
  expect(await as(approver)('POST', wait, resume(approve), keyed)).toMatchObject({ status: 200 })
  const again = await as(approver)('POST', wait, resume(approve), keyed)
  expect(again).toMatchObject({ status: 200 })
  expect(texts(again)).toHaveLength(4)
  expect(await as(approver)('POST', wait, resume({ decision: 'reject' }))).toMatchObject({
    status: 409,
    body: { code: 'approval_answered' },
  })
  expect(executed).toHaveLength(1)
})

test('edited arguments are asked for anew, and what runs is what was shown last', async () => {
  const { as, ask, executed } = askingDeployment(({ cents }) => cents > 5_000)
  await ask('order o1 6000')
  const edited = await as(approver)('POST', wait, resume({ decision: 'edit', arguments: { order: 'o1', cents: 100 } }))
  expect(edited.body.__interrupt__).toMatchObject([{ value: { arguments: { order: 'o1', cents: 100 } } }])
  expect(executed).toEqual([])
  const wrong = await as(approver)('POST', wait, resume({ decision: 'edit', arguments: { order: 'o1', cents: -1 } }))
  expect(wrong).toMatchObject({ status: 422 })
  await as(approver)('POST', wait, resume(approve))
  expect(executed).toEqual([{ order: 'o1', cents: 100 }])
})

test('a run that waits can be cancelled, and is not answered then', async () => {
  const { as, ask, executed } = askingDeployment()
  const [question] = await ask()
  const [run] = (await as()('GET', '/threads/t1/runs')).body
  expect(run.status).toBe('interrupted')
  expect(await as()('POST', `/threads/t1/runs/${run.run_id}/cancel`)).toMatchObject({ status: 204 })
  const late = await as(approver)('POST', `/approvals/${question?.id}`, { answer: approve })
  expect(late).toMatchObject({ status: 409, body: { code: 'approval_cancelled' } })
  expect(executed).toEqual([])
})

test('a run stops before and after the nodes it is told to, and goes on with no input', async () => {
  const { as, executed } = askingDeployment(false)
  const send = as()
  const body = {
    assistant_id: 'support',
    input: said('order o1 5'),
    if_not_exists: 'create',
    interrupt_before: ['tools'],
  }
  const stopped = await send('POST', wait, body)
  expect(stopped.body.__interrupt__).toEqual([])
  expect(executed).toEqual([])
  const after = await send('POST', wait, { assistant_id: 'support', interrupt_after: ['tools'] })
  expect(after.body.__interrupt__).toEqual([])
  expect(executed).toHaveLength(1)
  const end = await send('POST', wait, { assistant_id: 'support' })
  expect(texts(end)).toHaveLength(4)
  const nowhere = await send('POST', wait, { ...body, interrupt_before: ['tols'] })
  expect(nowhere).toMatchObject({ status: 422, body: { code: 'input_invalid' } })
})

test('a run from a checkpoint is a fork; a checkpoint of another thread is refused', async () => {
  const { as } = askingDeployment(false)
  const send = as()
  const first = await send('POST', wait, { assistant_id: 'support', input: said('hello'), if_not_exists: 'create' })
  expect(texts(first)).toHaveLength(2)
  const { checkpoint } = (await send('GET', '/threads/t1/state')).body
  await send('POST', wait, { assistant_id: 'support', input: said('order o1 5') })
  const forked = await send('POST', wait, { assistant_id: 'support', input: said('order o2 6'), checkpoint })
  expect(texts(forked).slice(2, 3)).toEqual(['order o2 6'])
  const same = { assistant_id: 'support', input: said('x'), checkpoint: { ...checkpoint, thread_id: 't2' } }
  expect(await send('POST', wait, same)).toMatchObject({ status: 422, body: { code: 'input_invalid' } })
  const unknown = { assistant_id: 'support', input: said('x'), checkpoint_id: '999' }
  expect(await send('POST', wait, unknown)).toMatchObject({ status: 404, body: { code: 'checkpoint_unknown' } })
})

test('a command writes and says where to go on; with resume beside it, it is refused', async () => {
  const { as, executed } = askingDeployment(false)
  const send = as({ scope: 'chat operate' })
  await send('POST', wait, { assistant_id: 'support', input: said('hello'), if_not_exists: 'create' })
  const command = { update: { messages: [{ type: 'human', content: 'order o1 5' }] }, goto: 'model' }
  const went = await send('POST', wait, { assistant_id: 'support', command })
  expect(texts(went).slice(2, 3)).toEqual(['order o1 5'])
  expect(executed).toHaveLength(1)
  expect(await as()('POST', wait, { assistant_id: 'support', command })).toMatchObject({ status: 403 })
  for (const wrong of [
    { ...command, resume: 1 },
    { goto: 'modle' },
    { update: { messages: [{ type: 'ai', content: 'approved' }] } },
  ]) {
    expect(await send('POST', wait, { assistant_id: 'support', command: wrong })).toMatchObject({ status: 422 })
  }
})

test('without a thread there is nothing to resume and nowhere to go back to', async () => {
  const { as } = askingDeployment()
  for (const field of [{ command: { resume: 1 } }, { checkpoint_id: '1' }, { interrupt_before: '*' }]) {
    const answer = await as()('POST', '/runs/wait', { assistant_id: 'support', input: said('x'), ...field })
    expect(answer).toMatchObject({ status: 422, body: { code: 'feature_unsupported' } })
  }
})
