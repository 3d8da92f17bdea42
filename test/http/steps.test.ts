// How a checkpoint came about, over HTTP: why the agent chose a tool, who let it run, and what came of it.
import { expect, test } from 'vitest'
import { said } from './deployment.ts'
import { travelling } from './travelling.ts'

async function refunded() {
  const all = travelling()
  const send = all.as({ scope: 'chat approve' })
  await all.asked()
  const [{ id }] = (await send('GET', '/threads/t1/state')).body.interrupts
  const answered = await send('POST', `/approvals/${id}`, { answer: { decision: 'approve' } })
  expect(answered.status).toBe(200)
  await expect.poll(async () => (await send('GET', '/threads/t1')).body.status).toBe('idle')
  return { ...all, send, approval: id }
}

const ids = (messages: readonly { id: string }[]) => messages.map(({ id }) => id)

test('a model step says what the model saw, and which tool it chose with which arguments', async () => {
  const { send } = await refunded()
  const { body: step } = await send('GET', '/threads/t1/steps/2')
  const before = (await send('GET', '/threads/t1/state/1')).body
  const after = (await send('GET', '/threads/t1/state/2')).body
  expect(step).toMatchObject({
    checkpoint: after.checkpoint,
    parent_checkpoint: before.checkpoint,
    run_id: after.metadata.run_id,
    step: 1,
    nodes: ['model'],
    next: ['tools'],
    approvals: [],
    tool_results: [],
  })
  expect(step.model_calls).toEqual([
    {
      node: 'model',
      model: 'scripted',
      messages: [
        {
          channel: 'messages',
          from: before.values.messages[0].id,
          count: 1,
          altered: false,
          ids: ids(before.values.messages),
        },
      ],
      earlier_messages: 0,
      system: { characters: 8, hash: expect.stringMatching(/^[\w-]{12}$/) },
      memories: [],
      summary_id: null,
      tools: ['order', 'refund'],
      parameters: { temperature: 0.2 },
      usage: { input_tokens: expect.any(Number), output_tokens: 11 },
      finish_reason: 'tool-calls',
      error: null,
      answer_id: after.values.messages[1].id,
      answer: after.values.messages[1],
    },
  ])
  expect(step.changes.messages.added).toEqual(after.values.messages.slice(1))
  expect(step.words).toEqual([
    `Checkpoint 2 of run ${step.run_id} is superstep 1, in which model ran. Changed: messages.`,
    `The model scripted, called by node "model", saw 1 message (${before.values.messages[0].id} in messages); instructions of 8 characters (hash ${step.model_calls[0].system.hash}); the tools order, refund; temperature 0.2.`,
    expect.stringMatching(
      /^It answered \(\d+ tokens in, 11 out\): “Let me see\. ?”; it called order\(\{"id":"A-17"\}\) as c1\.$/,
    ),
    'Due next: tools.',
  ])
})

test('a later model step saw all that came before it, also what the tool gave', async () => {
  const { send } = await refunded()
  const [call] = (await send('GET', '/threads/t1/steps/4')).body.model_calls
  expect(call.messages).toMatchObject([{ channel: 'messages', count: 3 }])
  expect(call.messages[0].ids).toEqual(ids((await send('GET', '/threads/t1/state/3')).body.values.messages))
  expect(call.answer.tool_calls).toMatchObject([{ name: 'refund', args: { order: 'A-17', cents: 9_900 } }])
})

test('a tool step says what was asked, who answered, and what the tool gave', async () => {
  const { send, approval, refunds } = await refunded()
  expect(refunds).toEqual([9_900])
  const { body: step } = await send('GET', '/threads/t1/steps/5')
  expect(step).toMatchObject({ nodes: ['tools'], model_calls: [], next: ['model'] })
  expect(step.tool_results).toEqual([
    { tool_call_id: 'c2', name: 'refund', status: 'success', content: 'refunded 9900' },
  ])
  expect(step.approvals).toMatchObject([
    { id: approval, status: 'answered', answered_by: 'alex', answered_via: 'api', answer: { decision: 'approve' } },
  ])
  expect(step.words).toEqual([
    expect.stringContaining('superstep 4, in which tools ran'),
    expect.stringMatching(
      /asked .*tool-approval .*"cents":9900.* alex answered at .*, by api: \{"decision":"approve"\}$/,
    ),
    'refund (call c2) gave: refunded 9900',
    'Who called them, and what was seen then, stands at checkpoint 4 or before.',
    'Due next: model.',
  ])
})

test('a checkpoint where somebody is asked says so until they have answered', async () => {
  const { as, asked } = travelling()
  const send = as()
  await asked()
  const { body: step } = await send('GET', '/threads/t1/steps/4')
  expect(step.interrupts).toMatchObject([{ kind: 'tool-approval', node: 'tools' }])
  expect(step.words).toContain(`Node "tools" asks tool-approval (${step.interrupts[0].id}); nobody has answered yet.`)
})

test('a fork shows nothing of what the other branch asked', async () => {
  const { send, run } = await refunded()
  await send('POST', '/threads/t1/state', { checkpoint_id: '4' })
  await run('desk', null)
  const [{ id: other }] = (await send('GET', '/threads/t1/state')).body.interrupts
  await send('POST', `/approvals/${other}`, { answer: { decision: 'reject', reason: 'no' } })
  await expect.poll(async () => (await send('GET', '/threads/t1')).body.status).toBe('idle')
  const history = (await send('GET', '/threads/t1/history?limit=100')).body
  const tools = history.find(({ next }: { next: string[] }) => next[0] === 'model')
  const { body: step } = await send('GET', `/threads/t1/steps/${tools.checkpoint.checkpoint_id}`)
  expect(step.approvals).toMatchObject([{ id: other, answer: { decision: 'reject', reason: 'no' } }])
  expect(step.tool_results).toMatchObject([{ name: 'refund', status: 'denied' }])
})

test('what came from outside says so', async () => {
  const { send } = await refunded()
  const input = (await send('GET', '/threads/t1/steps/1')).body
  expect(input).toMatchObject({ parent_checkpoint: null, step: 0, nodes: [], model_calls: [], next: ['model'] })
  expect(input.words[0]).toContain('was written from outside. Changed: messages.')
})

test('where the checkpoint before was pruned, a step still says what it knows', async () => {
  const { send, run } = await refunded()
  for (let turn = 0; turn < 40; turn++) await run('desk', said('x'.repeat(2_000)))
  const { body: head } = await send('GET', '/threads/t1/state')
  await send('POST', '/threads/prune', { thread_ids: ['t1'], strategy: 'keep_latest' })
  const kept = (await send('GET', '/threads/t1/history?limit=1000')).body
  const oldest = kept.at(-1).checkpoint.checkpoint_id
  expect(kept.length).toBeLessThan(Number(head.checkpoint.checkpoint_id))
  const { body: step } = await send('GET', `/threads/t1/steps/${oldest}`)
  expect(step).toMatchObject({ changes: null, nodes: ['model'] })
  expect(step.model_calls).toMatchObject([{ messages: [{ ids: null }], answer: { content: expect.any(String) } }])
})

test('a step of a thread or a checkpoint that is not there, or is not theirs, is unknown', async () => {
  const { as, send } = await refunded()
  for (const id of ['99', '0', 'abc']) {
    const unknown = { status: 404, body: { code: 'checkpoint_unknown' } }
    expect(await send('GET', `/threads/t1/steps/${id}`)).toMatchObject(unknown)
  }
  for (const who of [{ sub: 'sam' }, { tenant: 'other', scope: 'operate' }]) {
    const unknown = { status: 404, body: { code: 'thread_unknown' } }
    expect(await as(who)('GET', '/threads/t1/steps/2')).toMatchObject(unknown)
  }
  expect((await as({ sub: 'olga', scope: 'operate' })('GET', '/threads/t1/steps/2')).status).toBe(200)
})
