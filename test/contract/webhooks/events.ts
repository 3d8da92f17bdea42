// The contract on events: what a commit makes true is told with that commit, to each endpoint that asked to be told.
import { expect, test } from 'vitest'
import { claim, freshThread, passing, request, type Subject, takeOver } from '../checkpointer/turn.ts'
import { question, words } from './subject.ts'

export function events(checkpointer: Subject) {
  const { endpoint, run, take, takeAll, settle } = words(checkpointer)

  test('a run that ends is told of with the commit that ends it, once for each endpoint that asked', async () => {
    const at = freshThread()
    const [first, second] = [await endpoint(at.tenant), await endpoint(at.tenant, ['run.finished'])]
    await endpoint(at.tenant, ['run.failed', 'approval.requested'])
    await endpoint(freshThread().tenant)
    const { commit, outcome } = await run(at)
    expect(outcome).toEqual({ outcome: 'applied', head: 2, status: 'success', announced: 2 })
    for (let time = 0; time < 3; time++) await checkpointer().commitStep(commit)
    const due = await takeAll(at)
    expect(due.map(({ endpoint }) => endpoint).toSorted()).toEqual([first.id, second.id].toSorted())
    const [webhook] = due
    expect(webhook).toMatchObject({
      ...{ tenant: at.tenant, thread: at.thread, event: 'run.finished', attempt: 1, url: 'https://a.example/' },
      ...{ id: expect.stringMatching(/^msg_[0-9a-f]{32}$/), secrets: [`sealed ${webhook?.endpoint}`] },
    })
    expect(JSON.parse(webhook?.data ?? '')).toEqual({
      ...{
        thread_id: at.thread,
        run_id: 'run-1',
        graph_id: 'graph',
        status: 'success',
        checkpoint_id: '2',
        error: null,
      },
    })
    expect(await takeAll(at)).toEqual([])
  })

  test('a run that failed is told of by its code alone', async () => {
    const at = freshThread()
    await endpoint(at.tenant)
    await run(at, {
      status: 'error',
      error: { code: 'node_failed', message: 'Node "a" threw \u0000 \ud800 Error: hunter2' },
    })
    const [webhook] = await takeAll(at)
    expect(webhook?.event).toBe('run.failed')
    expect(JSON.parse(webhook?.data ?? '')).toMatchObject({ status: 'error', error: { code: 'node_failed' } })
    expect(webhook?.data).not.toContain('hunter2')
  })

  test('a run that is dead is told of with the claim that finds it so', async () => {
    const at = freshThread()
    await endpoint(at.tenant)
    await claim(checkpointer(), request(at, 'run-1', { leaseMs: 1, maxAttempts: 1 }))
    await passing(20)
    await checkpointer().beginTurn(takeOver(at, 'other', { maxAttempts: 1 }))
    const [webhook] = await takeAll(at)
    expect(JSON.parse(webhook?.data ?? '')).toMatchObject({ status: 'dead', error: { code: 'run_failed' } })
  })

  test('a run that is given up is told of', async () => {
    const at = freshThread()
    await endpoint(at.tenant)
    await claim(checkpointer(), request(at, 'run-1', { leaseMs: 1, graph: 'gone' }))
    await passing(20)
    expect(await checkpointer().giveUpRuns({ graphsOtherThan: ['graph'], olderThanMs: 1 })).toBe(1)
    const [webhook] = await takeAll(at)
    expect(webhook?.event).toBe('run.failed')
    expect(JSON.parse(webhook?.data ?? '')).toMatchObject({ status: 'dead', error: { code: 'graph_unknown' } })
  })

  test('what is asked is told of with the commit that asks, and what waits by itself when another goes on', async () => {
    const at = freshThread()
    await endpoint(at.tenant)
    const asked = question({ expiresInMs: 60_000 })
    const { outcome } = await run(at, { status: 'waiting', questions: [asked] })
    expect(outcome).toMatchObject({ outcome: 'applied', status: 'waiting', announced: 1 })
    const [webhook] = await takeAll(at)
    expect(webhook?.event).toBe('approval.requested')
    expect(JSON.parse(webhook?.data ?? '')).toEqual({
      ...{ thread_id: at.thread, run_id: 'run-1', graph_id: 'graph' },
      approval: {
        ...{ id: asked.id, kind: 'tool', node: 'ask', payload: asked.payload },
        expires_at: expect.stringMatching(/^\d{4}-/),
      },
    })
    const other = freshThread({ tenant: at.tenant, thread: 'other' })
    expect((await run(other, { status: 'waiting' }, 'run-2')).outcome).toMatchObject({ outcome: 'applied' })
    expect(await takeAll(at, 'run-2')).toEqual([])
    await claim(checkpointer(), request(other, 'run-3'))
    if (webhook) await settle(webhook)
    expect((await takeAll(at, 'run-2')).map(({ event }) => event)).toEqual(['run.finished'])
  })

  test('a payload that is too large is left out', async () => {
    const at = freshThread()
    await endpoint(at.tenant)
    await run(at, { status: 'waiting', questions: [question({ payload: JSON.stringify('ü'.repeat(40_000)) })] })
    const [webhook] = await takeAll(at)
    expect(JSON.parse(webhook?.data ?? '').approval.payload).toBeNull()
  })

  test('nobody is told of what was cancelled, written from outside, or is not over', async () => {
    const at = freshThread()
    await endpoint(at.tenant)
    for (const [index, status] of (['cancelled', 'running'] as const).entries()) {
      const place = freshThread({ tenant: at.tenant, thread: status })
      const { outcome } = await run(place, { status }, `run-${index}`)
      expect(outcome).toEqual({ outcome: 'applied', head: 2, status })
    }
    expect((await run(at, {}, 'run-u', 'update')).outcome).not.toHaveProperty('announced')
    expect(await take({ tenant: at.tenant, run: 'run-u' })).toEqual([])
  })
}
