// Going back: forks, writes from outside, runs from a checkpoint, comparing, copies.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { append, command, END, interrupt, last, StateGraph } from '../../src/index.ts'
import { randomId } from '../../src/kernel/id.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'

const colour = interrupt('colour', { payload: z.string(), answer: z.string() })

let database: NeonDatabase | undefined
beforeAll(async () => {
  database = await pgliteDatabase()
})
afterAll(() => database?.close())

const databases: Record<string, () => Checkpointer> = {
  memory: () => memoryCheckpointer(),
  neon: () => database?.checkpointer ?? expect.unreachable(),
}

describe.each(Object.entries(databases))('on %s', (_, make) => {
  const place = () => ({ tenant: `tenant-${randomId()}`, user: 'ada', thread: 'thread' })
  const abc = () =>
    new StateGraph({
      state: { log: append<string>(), word: last<string>() },
      nodes: {
        a: ({ log }) => ({ log: `a${log.length}` }),
        b: ({ word }) => ({ log: `b ${word ?? ''}` }),
        c: () => ({ log: 'c' }),
      },
      edges: { start: 'a', a: 'b', b: 'c' },
    }).compile({ checkpointer: make() })
  const checkpoints = async (app: ReturnType<typeof abc>, at: ReturnType<typeof place>) =>
    (await app.history(at, { limit: 100 })).map(({ checkpoint }) => checkpoint)

  test('a run from a checkpoint is a branch of its own, and the other stays readable', async () => {
    const app = abc()
    const at = place()
    await app.run({ log: 'in' }, at)
    expect(await checkpoints(app, at)).toEqual(['4', '3', '2', '1'])
    const again = await app.run(null, { ...at, from: '2' })
    expect(again).toMatchObject({ checkpoint: '6', values: { log: ['in', 'a1', 'b ', 'c'] } })
    expect(await checkpoints(app, at)).toEqual(['6', '5', '2', '1'])
    expect((await app.state(at, '4')).values.log).toEqual(['in', 'a1', 'b ', 'c'])
    const other = await app.run({ log: 'other' }, { ...at, from: '2' })
    expect(other.values.log).toEqual(['in', 'a1', 'other', 'a3', 'b ', 'c'])
    expect(await app.state(at)).toMatchObject({ checkpoint: other.checkpoint })
  })

  test('an update is a checkpoint of its own; without a node, what is due stays due', async () => {
    const app = abc()
    const at = place()
    await app.run({ log: 'in' }, at)
    const forked = await app.update(at, { from: '2', values: { word: 'new' } })
    expect(forked).toMatchObject({ status: 'success', checkpoint: '5' })
    expect(await app.state(at)).toMatchObject({
      checkpoint: '5',
      parent: '2',
      next: ['b'],
      values: { log: ['in', 'a1'] },
    })
    expect((await app.run(null, at)).values.log).toEqual(['in', 'a1', 'b new', 'c'])
    await app.update(at, { from: '4', values: { log: 'more', word: 'x' }, asNode: 'a' })
    expect((await app.state(at)).next).toEqual(['b'])
    expect((await app.run(null, at)).values.log).toEqual(['in', 'a1', 'b ', 'c', 'more', 'b x', 'c'])
    await app.update(at, { values: { log: 'start' }, asNode: 'start' })
    expect((await app.state(at)).next).toEqual(['a'])
  })

  test('an update makes a thread, is taken once for its key, and is refused for what the graph does not have', async () => {
    const app = abc()
    const at = place()
    const first = await app.update(at, { values: { log: 'seed' }, key: 'k' })
    expect(await app.update(at, { values: { log: 'seed' }, key: 'k' })).toEqual(first)
    expect(await app.state(at)).toMatchObject({ checkpoint: '1', values: { log: ['seed'] }, next: [] })
    for (const update of [{ values: { lag: 'x' } }, { values: {}, asNode: 'd' }]) {
      await expect(app.update(at, update)).rejects.toMatchObject({ code: 'input_invalid' })
    }
    await expect(app.update(at, { values: {}, from: '99' })).rejects.toMatchObject({ code: 'checkpoint_unknown' })
    await expect(app.update(at, { values: {}, from: 'x' })).rejects.toMatchObject({ code: 'checkpoint_unknown' })
    await expect(app.update({ ...at, thread: 'none' }, { values: {}, createThread: false })).rejects.toMatchObject({
      code: 'thread_unknown',
    })
    await expect(app.update({ ...at, user: 'eve' }, { values: { log: 'x' } })).rejects.toMatchObject({
      code: 'thread_unknown',
    })
  })

  test('a command writes, and goes on where it says', async () => {
    const app = abc()
    const at = place()
    await app.run({ log: 'in' }, at)
    const end = await app.run(command({ update: { word: 'w' }, goto: 'b' }), at)
    expect(end.values.log).toEqual(['in', 'a1', 'b ', 'c', 'b w', 'c'])
    expect((await app.run(command({ goto: END }), { ...at, from: '2' })).values.log).toEqual(['in', 'a1'])
    await expect(app.run(command({ goto: 'nowhere' as never }), at)).rejects.toMatchObject({ code: 'input_invalid' })
  })

  test('what was asked is withdrawn by an update, and never carried into a fork', async () => {
    let asked = 0
    const app = new StateGraph({
      state: { log: append<string>() },
      nodes: {
        a: () => ({ log: 'a' }),
        ask: {
          interrupts: [colour],
          run: async (_, { interrupt }) => {
            asked++
            return { log: await interrupt(colour, 'which?') }
          },
        },
      },
      edges: { start: 'a', a: 'ask' },
    }).compile({ checkpointer: make() })
    const at = place()
    const first = await app.run({ log: 'in' }, at)
    const [{ id } = expect.unreachable()] = first.interrupts
    // Answered on this branch, and done with.
    expect((await app.resume({ [id]: 'red' }, at)).values.log).toEqual(['in', 'a', 'red'])
    const fork = await app.run(null, { ...at, from: '2' })
    expect(fork).toMatchObject({ status: 'interrupted', values: { log: ['in', 'a'] } })
    expect(fork.interrupts[0]?.id).not.toBe(id)
    expect((await app.state(at)).interrupts).toEqual(fork.interrupts)
    const updated = await app.update(at, { values: { log: 'edited' } })
    expect(updated.status).toBe('success')
    await expect(app.resume({ [fork.interrupts[0]?.id ?? '']: 'red' }, at)).rejects.toMatchObject({
      code: 'approval_cancelled',
    })
    const anew = await app.run(null, at)
    expect(anew.interrupts[0]?.id).not.toBe(fork.interrupts[0]?.id)
    expect((await app.resume({ [anew.interrupts[0]?.id ?? '']: 'blue' }, at)).values.log).toEqual([
      'in',
      'a',
      'edited',
      'blue',
    ])
    expect(asked).toBe(5)
  })

  test('a thread is copied with its branches, and goes its own way', async () => {
    const sent: string[] = []
    const app = new StateGraph({
      state: { log: append<string>() },
      nodes: {
        a: () => ({ log: 'a' }),
        b: (_, { outbox, idempotencyKey }) => {
          outbox('told', idempotencyKey)
          return { log: 'b' }
        },
      },
      edges: { start: 'a', a: 'b' },
    }).compile({ checkpointer: make(), deliver: { told: ({ payload }) => void sent.push(String(payload)) } })
    const at = place()
    await app.run({ log: 'in' }, { ...at, interruptBefore: ['b'] })
    const copy = { ...at, thread: 'copy' }
    await app.copy(at, 'copy')
    await expect(app.copy(at, 'copy')).rejects.toMatchObject({ code: 'thread_exists' })
    await expect(app.copy({ ...at, user: 'eve' }, 'another')).rejects.toMatchObject({ code: 'thread_unknown' })
    expect(await app.history(copy)).toMatchObject(
      (await app.history(at)).map(({ checkpoint, values }) => ({ checkpoint, values })),
    )
    for (const thread of [at, copy]) expect((await app.run(null, thread)).values.log).toEqual(['in', 'a', 'b'])
    // Two actions: neither may be taken for the other.
    expect(new Set(sent).size).toBe(2)
    await app.run({ log: 'more' }, copy)
    expect((await app.state(at)).values.log).toEqual(['in', 'a', 'b'])
  })

  test('what is sent on a branch is another message than what was sent on the other', async () => {
    const sent: string[] = []
    const app = new StateGraph({
      state: { log: append<string>() },
      nodes: {
        a: () => ({ log: 'a' }),
        b: (_, { outbox, idempotencyKey, run }) => {
          outbox('told', idempotencyKey)
          if (run === 'fails') throw new Error('no')
          return { log: 'b' }
        },
      },
      edges: { start: 'a', a: 'b' },
    }).compile({ checkpointer: make(), deliver: { told: ({ payload }) => void sent.push(String(payload)) } })
    const at = place()
    await app.run({ log: 'in' }, at)
    await app.run(null, { ...at, from: '2' })
    await expect(app.run(null, { ...at, from: '2', run: 'fails' })).rejects.toMatchObject({ code: 'node_failed' })
    expect((await app.run(null, at)).values.log).toEqual(['in', 'a', 'b'])
    expect(sent).toHaveLength(3)
    expect(new Set(sent).size).toBe(3)
  })

  test('two checkpoints are compared, on one branch and on two', async () => {
    const app = abc()
    const at = place()
    await app.run({ log: 'in', word: 'w' }, at)
    expect(await app.compare(at, { from: '1', to: '2' })).toEqual({
      channels: { log: { kind: 'list', added: ['a1'], removed: [], changed: [] } },
      next: { before: ['a'], after: ['b'] },
    })
    await app.update(at, { from: '1', values: { word: 'other', log: 'x' } })
    expect(await app.compare(at, { from: '4', to: '5' })).toEqual({
      channels: {
        log: { kind: 'list', added: ['x'], removed: ['a1', 'b w', 'c'], changed: [] },
        word: { kind: 'value', before: 'w', after: 'other' },
      },
      next: { before: [], after: ['a'] },
    })
    expect(await app.compare(at, { from: '4', to: '4' })).toEqual({ channels: {}, next: { before: [], after: [] } })
    await expect(app.compare(at, { from: '4', to: '44' })).rejects.toMatchObject({ code: 'checkpoint_unknown' })
  })
})
