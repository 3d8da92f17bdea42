// Approvals over the chat routes, without a client of the AI SDK: what is asked, and what becomes of what is decided.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Script } from '../../src/testing/index.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'
import {
  asked,
  call,
  chunksOf,
  decided,
  house,
  problem,
  requestsIn,
  said,
  shown,
  textOf,
  typesOf,
} from './refund-chat.ts'
import { expectReadable } from './ui-chunk-keys.ts'

test('a call that waits is asked for before the step ends, and nothing runs', async () => {
  const { app, runs } = house()
  const { chunks, run } = await asked(app)
  expectReadable(chunks, { approvals: true })
  expect(typesOf(chunks).slice(-4)).toEqual(['tool-input-available', 'tool-approval-request', 'finish-step', 'finish'])
  expect(chunks.at(-1)).toMatchObject({ messageMetadata: { finishReason: 'tool-calls' } })
  expect(runs).toEqual([])
  expect((await shown(app)).at(-1)).toMatchObject({
    id: run,
    role: 'assistant',
    parts: [
      { type: 'step-start' },
      { type: 'text', text: 'I refund it.' },
      {
        type: 'tool-refund',
        toolCallId: 'c1',
        state: 'approval-requested',
        input: { order: 'A1', cents: 900 },
        approval: { id: expect.stringMatching(/^ap_/) },
      },
    ],
  })
})

test('an approved call is made once, and the same message goes on in the answer to the decision', async () => {
  const { app, runs } = house()
  const { id, run } = await asked(app)
  const chunks = await chunksOf(call(app, '/chat', { body: decided(id, true) }))
  expect(typesOf(chunks)).toEqual([
    'start',
    'tool-output-available',
    'start-step',
    'text-start',
    'text-delta',
    'text-end',
    'finish-step',
    'finish',
  ])
  expectReadable(chunks, { approvals: true, calls: ['c1'] })
  expect(chunks[0]).toMatchObject({ messageId: run })
  expect(chunks[1]).toMatchObject({ toolCallId: 'c1', output: 'refunded 900' })
  expect(textOf(chunks)).toBe('Then: refunded 900')
  expect(runs).toEqual([{ order: 'A1', cents: 900 }])
  const [, answer] = await shown(app)
  expect(answer).toMatchObject({ id: run })
  expect(answer?.parts.map(({ type }) => type)).toEqual(['step-start', 'text', 'tool-refund', 'step-start', 'text'])
  const approval = await (await call(app, `/approvals/${id}`)).json()
  expect(approval).toMatchObject({ status: 'answered', answered_by: 'alex', answered_via: 'chat' })
})

test('a denied call is not made: the model reads the reason, and the page sees who denied', async () => {
  const { app, runs } = house()
  const { id } = await asked(app)
  const chunks = await chunksOf(call(app, '/chat', { body: decided(id, false, { reason: 'too late' }) }))
  expect(chunks[1]).toEqual({ type: 'tool-output-denied', toolCallId: 'c1' })
  expect(textOf(chunks)).toBe('Then: A person was asked and did not approve refund: too late')
  expect(runs).toEqual([])
  expect((await shown(app))[1]?.parts[2]).toMatchObject({
    state: 'output-denied',
    approval: { id, approved: false, reason: 'too late' },
  })
  expect((await shown(app, '?approvals=data'))[1]?.parts[2]).toMatchObject({ state: 'output-error' })
})

test('sent again it is told again, and made once; the other decision is refused', async () => {
  const { app, runs } = house()
  const { id } = await asked(app)
  const all = await Promise.all([1, 2, 3].map(() => call(app, '/chat', { body: decided(id, true) })))
  const told = await Promise.all(all.map(chunksOf))
  for (const chunks of [...told, await chunksOf(call(app, '/chat', { body: decided(id, true) }))]) {
    expect(textOf(chunks)).toBe('Then: refunded 900')
    expect(chunks[1]).toMatchObject({ type: 'tool-output-available', toolCallId: 'c1' })
    expect(chunks.at(-1)?.type).toBe('finish')
  }
  expect(await problem(call(app, '/chat', { body: decided(id, false) }))).toEqual({
    status: 409,
    code: 'approval_answered',
  })
  expect(runs).toHaveLength(1)
})

test('yes and no at the same moment: one counts, the other is told so', async () => {
  const { app, runs } = house()
  const { id } = await asked(app)
  const answers = await Promise.all([true, false].map((yes) => call(app, '/chat', { body: decided(id, yes) })))
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
  await Promise.all(answers.map((answer) => answer.text()))
  expect(runs.length).toBe(answers[0]?.status === 200 ? 1 : 0)
})

const asksTwice: Script = (list) =>
  list.at(-1)?.role === 'tool'
    ? 'Done.'
    : {
        calls: [
          { id: 'c1', name: 'refund', arguments: { order: 'A1', cents: 1 } },
          { id: 'c2', name: 'refund', arguments: { order: 'A2', cents: 2 } },
          { id: 'c3', name: 'look', arguments: { order: 'A3' } },
        ],
      }

test('of several calls one decision is kept, and the others are asked for again; a call beside them waits', async () => {
  const { app, runs } = house({ script: asksTwice })
  const { chunks } = await asked(app)
  const [one, two] = requestsIn(chunks)
  expect(chunks.filter(({ type }) => type === 'tool-output-error')).toMatchObject([{ toolCallId: 'c3' }])
  expect((await shown(app))[1]?.parts.map((part) => ('state' in part ? part.state : ''))).toEqual([
    '',
    'approval-requested',
    'approval-requested',
    'output-error',
  ])
  const half = await chunksOf(call(app, '/chat', { body: decided(one?.approvalId ?? '', true) }))
  expect(requestsIn(half)).toEqual([two])
  expect(half.filter((chunk) => 'toolCallId' in chunk && chunk.toolCallId === 'c1')).toEqual([])
  expect(half.at(-1)?.type).toBe('finish')
  expect(runs).toEqual([])
  const parts = [one, two].map((asked) => ({
    type: 'tool-refund',
    state: 'approval-responded',
    approval: { id: asked?.approvalId, approved: true },
  }))
  const body = { id: 't', messages: [{ id: 'x', role: 'assistant', parts }] }
  const end = await chunksOf(call(app, '/chat', { body }))
  expect(end.flatMap((chunk) => (chunk.type === 'tool-output-available' ? [chunk.toolCallId] : []))).toEqual([
    'c1',
    'c2',
    'c3',
  ])
  expect(textOf(end)).toBe('Done.')
  expect(runs).toHaveLength(2)
})

test('of several decisions those that do not count are named, and the page sees what the run does', async () => {
  const { app, runs } = house({ script: asksTwice })
  const { chunks } = await asked(app)
  const [one, two] = requestsIn(chunks).map(({ approvalId }) => approvalId)
  const answer = { decision: 'reject', reason: 'no' }
  await (await call(app, `/approvals/${one}`, { body: { answer } })).text()
  const parts = [one, two].map((id) => ({
    type: 'tool-refund',
    state: 'approval-responded',
    approval: { id, approved: true },
  }))
  const body = { id: 't', messages: [{ id: 'x', role: 'assistant', parts }] }
  const end = await chunksOf(call(app, '/chat', { body }))
  expect(end[1]).toMatchObject({ type: 'data-refused', id: one, data: { code: 'approval_answered' } })
  expect(end.filter(({ type }) => type === 'tool-output-denied')).toEqual([
    { type: 'tool-output-denied', toolCallId: 'c1' },
  ])
  expect(runs).toEqual([{ order: 'A2', cents: 2 }])
})

test('edited arguments are shown before they are approved: what runs is what was shown', async () => {
  const { app, runs } = house()
  const { id } = await asked(app)
  const answer = { decision: 'edit', arguments: { order: 'A1', cents: 5 } }
  await (await call(app, `/approvals/${id}`, { body: { answer } })).text()
  await expect
    .poll(async () => (await shown(app))[1]?.parts[2])
    .toMatchObject({
      state: 'approval-requested',
      input: { order: 'A1', cents: 5 },
    })
  const replay = await chunksOf(call(app, '/chat/t/stream'))
  const [request = expect.unreachable()] = requestsIn(replay)
  expect(request.approvalId).not.toBe(id)
  expect(await problem(call(app, '/chat', { body: decided(id, true) }))).toMatchObject({ code: 'approval_answered' })
  await chunksOf(call(app, '/chat', { body: decided(request.approvalId, true) }))
  expect(runs).toEqual([{ order: 'A1', cents: 5 }])
})

test('a run that fails after the decision says so, also when the decision is sent again; the call is made once', async () => {
  const script: Script = (list) =>
    list.at(-1)?.role === 'tool'
      ? { text: 'It is', cutOff: true }
      : { calls: [{ id: 'c1', name: 'refund', arguments: { order: 'A1', cents: 900 } }] }
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  const { app, runs } = house({ script })
  const { id } = await asked(app)
  const chunks = await chunksOf(call(app, '/chat', { body: decided(id, true) }))
  expectReadable(chunks, { approvals: true, calls: ['c1'] })
  expect(chunks.at(-1)?.type).toBe('error')
  const again = await chunksOf(call(app, '/chat', { body: decided(id, true) }))
  expectReadable(again, { approvals: true, calls: ['c1'] })
  expect(again.at(-1)?.type).toBe('error')
  expect(runs).toHaveLength(1)
  expect((await shown(app))[1]?.parts.at(-1)).toMatchObject({ state: 'output-available' })
  logged.mockRestore()
})

let database: NeonDatabase | undefined
beforeAll(async () => {
  database = await pgliteDatabase()
})
afterAll(() => database?.close())

test('on Postgres: asked, decided in two steps and twice at once, met again, and stopped', async () => {
  const { checkpointer } = database ?? expect.unreachable()
  const { app, runs } = house({ script: asksTwice, checkpointer })
  const { chunks } = await asked(app)
  const [one, two] = requestsIn(chunks)
  const half = await chunksOf(call(app, '/chat', { body: decided(one?.approvalId ?? '', true) }))
  expect(requestsIn(half)).toEqual([two])
  expect(requestsIn(await chunksOf(call(app, '/chat/t/stream')))).toEqual([two])
  const ends = [1, 2].map(() => call(app, '/chat', { body: decided(two?.approvalId ?? '', false) }).then(chunksOf))
  for (const end of await Promise.all(ends)) {
    expect(textOf(end)).toBe('Done.')
    expect(end).toContainEqual({ type: 'tool-output-denied', toolCallId: 'c2' })
  }
  expect(runs).toHaveLength(1)
  expect((await shown(app))[1]?.parts[2]).toMatchObject({ state: 'output-denied', approval: { id: two?.approvalId } })
  const again = requestsIn(await chunksOf(call(app, '/chat', { body: said('refund A2 too') })))
  expect(again).toHaveLength(2)
  expect((await call(app, '/chat/t/stop', { body: {} })).status).toBe(204)
  const late = call(app, '/chat', { body: decided(again[0]?.approvalId ?? '', true) })
  expect(await problem(late)).toEqual({ status: 409, code: 'approval_cancelled' })
  expect(runs).toHaveLength(1)
})
