// Runs that ask: they stop, keep nothing in the worker, and go on with the answer, once (T5, T6).
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { append, interrupt, last, StateGraph, send } from '../../src/index.ts'
import { randomId } from '../../src/kernel/id.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'

const review = interrupt('review', {
  payload: z.object({ draft: z.string() }),
  answer: z.object({ approved: z.boolean() }),
})
const colour = interrupt('colour', { payload: z.string(), answer: z.enum(['red', 'blue']) })

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

  function asking(checkpointer: Checkpointer = make()) {
    const calls: string[] = []
    const app = new StateGraph({
      state: { log: append<string>() },
      nodes: {
        before: () => ({ log: 'before' }),
        ask: {
          interrupts: [review],
          run: async (_, { interrupt }) => {
            calls.push('ask')
            const { approved } = await interrupt(review, { draft: 'Dear all' })
            calls.push('answered')
            return { log: approved ? 'sent' : 'not sent' }
          },
        },
        after: () => ({ log: 'after' }),
      },
      edges: { start: 'before', before: 'ask', ask: 'after' },
    }).compile({ checkpointer })
    return { app, calls }
  }

  test('a node that asks stops the run, and goes on with the answer', async () => {
    const { app, calls } = asking()
    const at = place()
    const asked = await app.run({ log: 'in' }, at)
    expect(asked).toMatchObject({ status: 'interrupted', values: { log: ['in', 'before'] } })
    expect(asked.interrupts).toEqual([
      { id: expect.stringMatching(/^ap_/), task: 0, node: 'ask', kind: 'review', payload: { draft: 'Dear all' } },
    ])
    const state = await app.state(at)
    expect(state).toMatchObject({ next: ['ask'], interrupts: asked.interrupts, values: { log: ['in', 'before'] } })
    expect((await app.history(at)).map(({ step }) => step)).toEqual([1, 0])
    const [{ id } = expect.unreachable()] = asked.interrupts
    const end = await app.resume({ [id]: { approved: true } }, at)
    expect(end).toMatchObject({ run: asked.run, status: 'success', interrupts: [] })
    expect(end.values.log).toEqual(['in', 'before', 'sent', 'after'])
    expect(calls).toEqual(['ask', 'ask', 'answered'])
    expect((await app.history(at)).map(({ step, run }) => [step, run === asked.run])).toEqual(
      [3, 2, 1, 0].map((step) => [step, true]),
    )
  })

  test('invoke says that it comes to no end, and what is asked', async () => {
    const { app } = asking()
    await expect(app.invoke({ log: 'in' }, place())).rejects.toMatchObject({
      code: 'run_interrupted',
      details: { interrupts: [{ kind: 'review' }] },
    })
  })

  test('asked again with the same key, or with nothing new, it says again what it waits for', async () => {
    const { app, calls } = asking()
    const at = place()
    const asked = await app.run({ log: 'in' }, { ...at, key: 'k' })
    expect(await app.run({ log: 'in' }, { ...at, key: 'k' })).toEqual(asked)
    expect(await app.run(null, at)).toEqual(asked)
    expect(calls).toEqual(['ask'])
  })

  test('new input is refused with what is asked, or withdraws it', async () => {
    const { app, calls } = asking()
    const at = place()
    const { interrupts, run } = await app.run({ log: 'in' }, at)
    const [{ id } = expect.unreachable()] = interrupts
    await expect(app.run({ log: 'more' }, at)).rejects.toMatchObject({
      code: 'run_interrupted',
      details: { run, interrupts },
    })
    const next = await app.run({ log: 'more' }, { ...at, strategy: 'enqueue' })
    expect(next.values.log).toEqual(['in', 'before', 'more', 'before'])
    expect(next.interrupts.map((one) => one.id)).not.toContain(id)
    await expect(app.resume({ [id]: { approved: true } }, at)).rejects.toMatchObject({ code: 'approval_cancelled' })
    expect(calls).toEqual(['ask', 'ask'])
  })

  test('nobody goes on with a run in the thread of another, or is told how it ended', async () => {
    const { app, calls } = asking()
    const at = place()
    const { interrupts, run } = await app.run({ log: 'in' }, at)
    const [{ id } = expect.unreachable()] = interrupts
    const ada = { tenant: at.tenant, user: at.user, by: 'ada', approver: true, via: 'code' }
    await app.answer(ada, { id, answer: { approved: true } })
    const eve = { ...at, user: 'eve' }
    await expect(app.goOn(eve, run)).rejects.toMatchObject({ code: 'thread_unknown' })
    expect(calls).toEqual(['ask'])
    expect((await app.goOn({ ...at, user: null }, run)).values.log).toEqual(['in', 'before', 'sent', 'after'])
    await expect(app.goOn(eve, run)).rejects.toMatchObject({ code: 'thread_unknown' })
  })

  test('an answer of another shape is refused, and the question stays open', async () => {
    const { app } = asking()
    const at = place()
    const { interrupts } = await app.run({ log: 'in' }, at)
    const [{ id } = expect.unreachable()] = interrupts
    for (const answer of [undefined, null, true, 'yes', { approved: 'yes' }, { Approved: true }]) {
      await expect(app.resume({ [id]: answer }, at)).rejects.toMatchObject({ code: 'input_invalid' })
    }
    expect((await app.state(at)).interrupts).toHaveLength(1)
    expect((await app.resume({ [id]: { approved: false } }, at)).values.log).toEqual([
      'in',
      'before',
      'not sent',
      'after',
    ])
  })

  test('an answer counts once: another one, or the same, later or at the same time, changes nothing', async () => {
    const { app, calls } = asking()
    const at = place()
    const { interrupts } = await app.run({ log: 'in' }, at)
    const [{ id } = expect.unreachable()] = interrupts
    const outcomes = await Promise.allSettled(
      [true, false, true, false, true].map((approved) => app.resume({ [id]: { approved } }, at)),
    )
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(refused).toHaveLength(4)
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'approval_answered' })
    await expect(app.resume({ [id]: { approved: true } }, at)).rejects.toMatchObject({ code: 'approval_answered' })
    expect(calls.filter((call) => call === 'answered')).toHaveLength(1)
  })

  test('nobody answers for another tenant or user, or what was never asked', async () => {
    const { app } = asking()
    const at = place()
    const { interrupts } = await app.run({ log: 'in' }, at)
    const [{ id } = expect.unreachable()] = interrupts
    for (const other of [
      { ...at, tenant: 'other' },
      { ...at, user: 'eve' },
    ]) {
      await expect(app.resume({ [id]: { approved: true } }, other)).rejects.toMatchObject({ code: 'approval_unknown' })
    }
    await expect(app.resume({ ap_nothing: { approved: true } }, at)).rejects.toMatchObject({ code: 'approval_unknown' })
    expect((await app.state(at)).interrupts).toHaveLength(1)
  })

  test('several questions of one node wait for all of their answers, in the order of the node', async () => {
    let runs = 0
    const app = new StateGraph({
      state: { log: append<string>() },
      nodes: {
        ask: {
          interrupts: [review, colour],
          run: async (_, { interrupt }) => {
            runs++
            const [one, other] = await Promise.all([interrupt(review, { draft: 'x' }), interrupt(colour, 'which?')])
            return { log: `${one.approved} ${other}` }
          },
        },
      },
      edges: { start: 'ask' },
    }).compile({ checkpointer: make() })
    const at = place()
    const asked = await app.run({ log: 'in' }, at)
    expect(asked.interrupts.map(({ kind }) => kind)).toEqual(['review', 'colour'])
    const [one, other] = asked.interrupts.map(({ id }) => id) as [string, string]
    const still = await app.resume({ [one]: { approved: true } }, at)
    expect(still).toMatchObject({ status: 'interrupted', interrupts: [{ id: other, kind: 'colour' }] })
    expect(runs).toBe(1)
    expect((await app.resume({ [other]: 'red' }, at)).values.log).toEqual(['in', 'true red'])
    expect(runs).toBe(2)
  })

  test('T5 siblings of a node that asks are run once, and each that asks goes on when it is answered', async () => {
    const calls: string[] = []
    const app = new StateGraph({
      state: { log: append<string>(), item: last<string>() },
      nodes: {
        fan: () => undefined,
        work: {
          interrupts: [colour],
          run: async ({ item }, { interrupt }) => {
            calls.push(`${item}`)
            return { log: item === 'quick' ? 'quick' : `${item} ${await interrupt(colour, `for ${item}?`)}` }
          },
        },
      },
      edges: { start: 'fan', fan: () => ['a', 'quick', 'b'].map((item) => send('work', { item })) },
    }).compile({ checkpointer: make() })
    const at = place()
    const asked = await app.run({ log: 'in' }, at)
    expect(asked.interrupts.map(({ payload }) => payload)).toEqual(['for a?', 'for b?'])
    const [a, b] = asked.interrupts.map(({ id }) => id) as [string, string]
    const half = await app.resume({ [b]: 'blue' }, at)
    expect(half).toMatchObject({ status: 'interrupted', interrupts: [{ id: a }] })
    expect(calls).toEqual(['a', 'quick', 'b', 'b'])
    expect((await app.resume({ [a]: 'red' }, at)).values.log).toEqual(['in', 'a red', 'quick', 'b blue'])
    expect(calls).toEqual(['a', 'quick', 'b', 'b', 'a'])
  })

  test('a node that asks otherwise when it runs again asks anew: an answer is for what was shown', async () => {
    let draft = 'first'
    const app = new StateGraph({
      state: { log: append<string>() },
      nodes: {
        ask: {
          interrupts: [review],
          run: async (_, { interrupt }) => ({ log: `${(await interrupt(review, { draft })).approved}: ${draft}` }),
        },
      },
      edges: { start: 'ask' },
    }).compile({ checkpointer: make() })
    const at = place()
    const first = await app.run({ log: 'in' }, at)
    draft = 'second'
    const second = await app.resume({ [first.interrupts[0]?.id ?? '']: { approved: true } }, at)
    expect(second).toMatchObject({ status: 'interrupted', interrupts: [{ payload: { draft: 'second' } }] })
    const end = await app.resume({ [second.interrupts[0]?.id ?? '']: { approved: false } }, at)
    expect(end.values.log).toEqual(['in', 'false: second'])
  })

  test('T6 what a node did before it asked is done once in a task, and its try cannot swallow the question', async () => {
    let made = 0
    let caught = 0
    let aborted = 0
    const app = new StateGraph({
      state: { log: append<string>() },
      nodes: {
        ask: {
          interrupts: [colour],
          run: async (_, { interrupt, task, signal }) => {
            signal.addEventListener('abort', () => aborted++)
            const number = await task('number', () => ++made)
            try {
              return { log: `${number} ${await interrupt(colour, 'which?')}` }
            } catch {
              caught++
              return { log: 'swallowed' }
            } finally {
              if (made > 1) caught++
            }
          },
        },
      },
      edges: { start: 'ask' },
    }).compile({ checkpointer: make() })
    const at = place()
    const { interrupts } = await app.run({ log: 'in' }, at)
    expect(aborted).toBe(1)
    expect((await app.resume({ [interrupts[0]?.id ?? '']: 'red' }, at)).values.log).toEqual(['in', '1 red'])
    expect({ made, caught }).toEqual({ made: 1, caught: 0 })
  })

  test('a run that fails beside a question withdraws it, and keeps what was answered', async () => {
    let fails = true
    const app = new StateGraph({
      state: { log: append<string>() },
      nodes: {
        ask: { interrupts: [colour], run: async (_, { interrupt }) => ({ log: await interrupt(colour, 'which?') }) },
        flaky: {
          interrupts: [review],
          run: async (_, { interrupt }) => {
            await interrupt(review, { draft: 'd' })
            if (fails) throw new Error('no')
            return { log: 'flaky' }
          },
        },
      },
      edges: { start: ['ask', 'flaky'] },
    }).compile({ checkpointer: make() })
    const at = place()
    const { interrupts } = await app.run({ log: 'in' }, at)
    const [question, approval] = interrupts.map(({ id }) => id) as [string, string]
    await expect(app.resume({ [approval]: { approved: true } }, at)).rejects.toMatchObject({ code: 'node_failed' })
    await expect(app.resume({ [question]: 'red' }, at)).rejects.toMatchObject({ code: 'approval_cancelled' })
    fails = false
    const again = await app.run(null, at)
    expect(again.interrupts).toMatchObject([{ kind: 'colour' }])
    expect((await app.resume({ [again.interrupts[0]?.id ?? '']: 'blue' }, at)).values.log).toEqual([
      'in',
      'blue',
      'flaky',
    ])
  })

  test('a cancelled run withdraws what it asked', async () => {
    const { app } = asking()
    const at = place()
    const { interrupts, run } = await app.run({ log: 'in' }, at)
    await app.cancel(at, run)
    expect((await app.state(at)).interrupts).toEqual([])
    await expect(app.resume({ [interrupts[0]?.id ?? '']: { approved: true } }, at)).rejects.toMatchObject({
      code: 'approval_cancelled',
    })
    expect((await app.run(null, at)).interrupts).toHaveLength(1)
  })

  test('stops before and after nodes that it was told to stop at, and goes on when it is told to', async () => {
    const app = new StateGraph({
      state: { log: append<string>(), odd: last<string>() },
      nodes: { a: () => ({ log: 'a' }), b: () => ({ log: 'b' }), c: () => ({ log: 'c' }) },
      edges: { start: 'a', a: 'b', b: 'c' },
    }).compile({ checkpointer: make() })
    const at = place()
    const stops = { interruptBefore: ['a', 'c'], interruptAfter: ['a'] }
    const stopped = await app.run({ log: 'in' }, { ...at, ...stops })
    expect(stopped).toMatchObject({ status: 'interrupted', interrupts: [], values: { log: ['in'] } })
    expect((await app.run(null, { ...at, ...stops })).values.log).toEqual(['in', 'a'])
    expect((await app.run(null, { ...at, ...stops })).values.log).toEqual(['in', 'a', 'b'])
    expect(await app.run(null, { ...at, ...stops })).toMatchObject({
      status: 'success',
      values: { log: ['in', 'a', 'b', 'c'] },
    })
    const everywhere = place()
    const all = { ...everywhere, interruptAfter: '*' } as const
    await app.run({ log: 'in' }, all)
    await app.run(null, all)
    expect(await app.run(null, all)).toMatchObject({ status: 'success', values: { log: ['in', 'a', 'b', 'c'] } })
  })

  test('a question that nobody answers in time fails the node, which may go on without', async () => {
    const app = new StateGraph({
      state: { log: append<string>() },
      nodes: {
        ask: {
          interrupts: [colour],
          run: async (_, { interrupt }) => ({
            log: await interrupt(colour, 'which?', { expiresInMs: 1 }).catch((error) => error.code),
          }),
        },
      },
      edges: { start: 'ask' },
    }).compile({ checkpointer: make() })
    const at = place()
    const { interrupts } = await app.run({ log: 'in' }, at)
    await new Promise((resolve) => setTimeout(resolve, 20))
    await expect(app.resume({ [interrupts[0]?.id ?? '']: 'red' }, at)).rejects.toMatchObject({
      code: 'approval_expired',
    })
  })
})
