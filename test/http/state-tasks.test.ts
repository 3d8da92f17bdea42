// What a thread's state says of its tasks over the LangGraph wire: where a checkpoint came from, and which task asks what.
import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { append, END, interrupt, last, StateGraph, send } from '../../src/index.ts'
import { deployment } from './deployment.ts'

const review = interrupt('review', {
  payload: z.object({ item: z.string() }),
  answer: z.boolean(),
  expiresInMs: 60_000,
})

/** Three tasks of one node; the second has nothing to ask. */
function sending() {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const checkpointer = memoryCheckpointer({ now: () => now })
  const graph = new StateGraph({
    state: { log: append<string>(), item: last('') },
    nodes: {
      work: {
        interrupts: [review],
        run: async ({ item }, context) => {
          if (item === 'quick') return { log: item }
          return { log: (await context.interrupt(review, { item })) ? `${item} done` : `${item} left` }
        },
      },
    },
    edges: { start: () => ['one', 'quick', 'two'].map((item) => send('work', { item })), work: END },
  })
  const all = deployment({ graphs: { sends: graph.compile({ checkpointer, name: 'sends' }) }, checkpointer })
  const request = all.as({ scope: 'chat approve operate' })
  const ask = () =>
    request('POST', '/threads/t1/runs/wait', { assistant_id: 'sends', input: { log: 'in' }, if_not_exists: 'create' })
  const pass = (ms: number) => {
    now += ms
  }
  return { request, ask, pass }
}

interface ShownTask {
  readonly id: string
  readonly name: string
  readonly path: readonly unknown[]
  readonly interrupts: readonly { readonly id: string; readonly value: { readonly item: string } }[]
}

test('of several tasks of one node each shows what it asks itself', async () => {
  const { request, ask } = sending()
  const { body: asked } = await ask()
  const { body } = await request('GET', '/threads/t1/state')
  const tasks: ShownTask[] = body.tasks
  const shown = tasks.map(({ path, interrupts }) => ({ path, asks: interrupts.map(({ value }) => value.item) }))
  expect(shown).toEqual([
    { path: ['__pregel_push', 0], asks: ['one'] },
    { path: ['__pregel_push', 1], asks: [] },
    { path: ['__pregel_push', 2], asks: ['two'] },
  ])
  expect(new Set(tasks.map(({ id }) => id)).size).toBe(3)
  const { body: thread } = await request('GET', '/threads/t1')
  expect(Object.keys(thread.interrupts)).toEqual([tasks[0]?.id, tasks[2]?.id])
  const [one] = asked.__interrupt__
  await request('POST', `/approvals/${one.id}`, { answer: true })
  const { body: after } = await request('GET', '/threads/t1/state')
  expect(after.tasks.map(({ interrupts }: ShownTask) => interrupts.length)).toEqual([0, 0, 1])
})

test('what is asked is expired at once when its time is over, wherever it is shown', async () => {
  const { request, ask, pass } = sending()
  const { body: asked } = await ask()
  const { id } = asked.__interrupt__[0]
  const { body: link } = await request('POST', `/approvals/${id}/link`, { by: 'boss' })
  const { pathname, search } = new URL(link.url)
  const page = async () => (await request('GET', `${pathname}${search}`)).text
  expect(await page()).toContain('<form')
  pass(60_001)
  expect((await request('GET', '/approvals?status=pending')).body).toEqual([])
  expect((await request('GET', '/approvals?status=expired')).body).toHaveLength(2)
  expect((await request('GET', `/approvals/${id}`)).body).toMatchObject({ status: 'expired' })
  expect(await page()).toContain('It has expired.')
  expect(await page()).not.toContain('<form')
  const { body: state } = await request('GET', '/threads/t1/state')
  expect(state.interrupts).toEqual([])
  expect(state.tasks.flatMap(({ interrupts }: ShownTask) => interrupts)).toEqual([])
  expect((await request('GET', '/threads/t1')).body.interrupts).toEqual({})
})

test('metadata says where a checkpoint came from: input, a superstep, or an update, also in a copy', async () => {
  const { request, ask } = sending()
  await ask()
  await request('POST', '/threads/t1/state', { values: { log: 'mended' } })
  await request('POST', '/threads/t1/state', { values: { log: 'forked' }, checkpoint_id: '1' })
  const sources = async (thread: string) =>
    (await request('GET', `/threads/${thread}/history`)).body.map(
      ({ metadata }: { metadata: { source: string } }) => metadata.source,
    )
  expect(await sources('t1')).toEqual(['update', 'input'])
  const { body: copy } = await request('POST', '/threads/t1/copy')
  expect(await sources(copy.thread_id)).toEqual(['update', 'input'])
  await request('POST', '/threads/t1/state', { values: { log: 'done' }, as_node: 'work' })
  expect((await request('GET', '/threads/t1/state')).body.metadata).toMatchObject({ source: 'update' })
})

test('patching the state merges into the metadata of the thread, and makes no checkpoint', async () => {
  const { request, ask } = sending()
  await ask()
  await request('PATCH', '/threads/t1', { metadata: { kept: 1, gone: 2 } })
  const patched = await request('PATCH', '/threads/t1/state', { metadata: { topic: 'refunds', gone: null } })
  expect(patched).toMatchObject({ status: 204 })
  expect((await request('GET', '/threads/t1')).body.metadata).toEqual({ kept: 1, topic: 'refunds' })
  expect((await request('GET', '/threads/t1/state')).body.checkpoint.checkpoint_id).toBe('1')
  expect(await request('PATCH', '/threads/none/state', { metadata: {} })).toMatchObject({ status: 404 })
  expect(await request('PATCH', '/threads/t1/state', { values: {} })).toMatchObject({ status: 422 })
})
