// What a thread keeps of itself: its newest checkpoints, and everything that is needed to go on.
import { expect, test } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { append, StateGraph } from '../../src/index.ts'
import { at } from './doubles.ts'

const key = { tenant: at.tenant, thread: at.thread, owner: at.user }

function talking(keepCheckpoints?: number) {
  const checkpointer = memoryCheckpointer()
  const app = new StateGraph({
    state: { log: append<string>() },
    nodes: { a: () => ({ log: 'x'.repeat(3_000) }) },
    edges: { start: 'a' },
  }).compile({ checkpointer, ...(keepCheckpoints !== undefined && { keepCheckpoints }) })
  const turns = async (count: number) => {
    for (let turn = 0; turn < count; turn++) await app.invoke({ log: 'in' }, at)
  }
  return { app, checkpointer, turns }
}

test('a thread that keeps ten checkpoints holds ten, and what is needed to read the tenth', async () => {
  const { app, turns } = talking(10)
  await turns(60)
  expect((await app.state(at)).values.log).toHaveLength(120)
  const kept = await app.history(at, { limit: 1_000 })
  expect(kept.length).toBeGreaterThanOrEqual(10)
  // A snapshot stands where the deltas outweigh the one before: it is further back the longer the thread.
  expect(kept.length).toBeLessThan(120)
  expect(kept.map(({ values }) => values.log.length)).toEqual(kept.map((_, index) => 120 - index))
  await expect(app.state(at, '1')).rejects.toMatchObject({ code: 'checkpoint_unknown' })
})

test('a thread keeps all of it unless told otherwise', async () => {
  const { app, turns } = talking()
  await turns(30)
  expect(await app.history(at, { limit: 1_000 })).toHaveLength(60)
})

test('a request that is repeated when its answer was pruned is told so, and not given another', async () => {
  const { app, checkpointer, turns } = talking()
  await app.invoke({ log: 'first' }, { ...at, key: 'k' })
  await turns(40)
  expect(await checkpointer.threads.prune(key, 1)).toBeGreaterThan(10)
  await expect(app.invoke({ log: 'first' }, { ...at, key: 'k' })).rejects.toMatchObject({
    code: 'checkpoint_unknown',
    message: expect.stringContaining('deleted'),
  })
  expect((await app.state(at)).values.log).toHaveLength(82)
})

test('a history that was pruned ends where the rest was cut', async () => {
  const { app, checkpointer, turns } = talking()
  await turns(40)
  await checkpointer.threads.prune(key, 5)
  const pages: string[] = []
  for (let before: string | undefined; ; ) {
    const page = await app.history(at, { limit: 3, ...(before !== undefined && { before }) })
    if (page.length === 0) break
    pages.push(...page.map(({ checkpoint }) => checkpoint))
    before = page.at(-1)?.checkpoint
  }
  expect(pages).toEqual((await app.history(at, { limit: 1_000 })).map(({ checkpoint }) => checkpoint))
  expect(Number(pages.at(-1))).toBeGreaterThan(1)
})
