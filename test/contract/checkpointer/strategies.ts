// The contract of a run that takes the place of those before it: what they lose, and what it gets.
import { expect, test } from 'vitest'
import type { ClaimedTurn } from '../../../src/ports/checkpointer.ts'
import {
  asking,
  claim,
  commitOf,
  committed,
  frames,
  freshThread,
  passing,
  type Subject,
  shapeOf,
  statuses,
  takeOver,
  tipOf,
  turn,
} from './turn.ts'

export function strategies(subject: Subject) {
  const begun = (...of: Parameters<typeof asking>) => subject().beginTurn(asking(...of))
  const claimed = async (...of: Parameters<typeof asking>) => {
    const begin = asking(...of)
    const won = await claim(subject(), begin)
    return { claim: won, tip: tipOf(begin, won) }
  }
  const inputsOf = ({ carried, input }: ClaimedTurn) => [...carried, input]

  test('the run in the place of another fences it and gets its input; what that one committed stays', async () => {
    const at = freshThread()
    const first = await claimed(at, 'a', 'reject')
    const second = await claimed(at, 'b', 'interrupt')
    expect(second.claim).toMatchObject({ run: 'b', mine: true, head: 0, hash: '', attempts: 1 })
    expect(inputsOf(second.claim)).toEqual(['"input of a"', '"input of b"'])
    expect(second.claim.epoch).toBeGreaterThan(first.claim.epoch)
    const late = await subject().commitStep(commitOf(first.tip, 0, ['late']).commit)
    expect(late).toMatchObject({ outcome: 'fenced', status: 'interrupted' })
    expect(await subject().renewLease(first.tip.claim, 60_000)).toBe('fenced')
    const half = await committed(subject(), second.tip, 1, ['a in', 'b in', 'b 1'], { status: 'running' })

    const third = await claimed(at, 'c', 'interrupt')
    expect(third.claim).toMatchObject({ head: 3, hash: half.hash, lastSeq: 3, input: '"input of c"', carried: [] })
    await committed(subject(), third.tip, 0, ['c'])
    expect((await frames(subject(), at)).map(({ text }) => text)).toEqual(['a in', 'b in', 'b 1', 'c'])
    expect(await statuses(subject(), at)).toEqual({ a: 'interrupted', b: 'interrupted', c: 'success' })
    expect(await begun(at, 'a', 'reject')).toMatchObject({ outcome: 'ended', run: { status: 'interrupted' } })
  })

  test('inputs are carried over two interruptions and from the line, in order, and dropped at the first commit', async () => {
    const at = freshThread()
    await claimed(at, 'a', 'reject')
    await begun(at, 'b', 'enqueue')
    await claimed(at, 'c', 'interrupt')
    await begun(at, 'd', 'enqueue')
    const last = await claimed(at, 'e', 'interrupt', { leaseMs: 20 })
    const all = [...'abcde'].map((run) => `"input of ${run}"`)
    expect(inputsOf(last.claim)).toEqual(all)
    await passing(40)
    const sweep = takeOver(at, 'sweep')
    const again = await claim(subject(), sweep)
    expect(inputsOf(again)).toEqual(all)
    expect(await statuses(subject(), at)).toEqual({
      ...{ a: 'interrupted', b: 'interrupted', c: 'interrupted', d: 'interrupted', e: 'running' },
    })
    await committed(subject(), tipOf(sweep, again), 0, ['d'], { status: 'running', leaseMs: 1 })
    await passing(20)
    expect(inputsOf(await claim(subject(), asking(at, 'e', 'interrupt')))).toEqual([null])
    expect(inputsOf((await claimed(at, 'f', 'interrupt')).claim)).toEqual(['"input of f"'])
  })

  test('carried inputs come back as they were, whatever is in them', async () => {
    const at = freshThread()
    const odd = ['{"a,b":"\\"}{"}', 'NULL', '', ' ', '漢😀\n\\', '[1,2]']
    for (const [index, input] of odd.entries()) {
      const begin = asking(at, `run-${index}`, 'interrupt')
      await claim(subject(), { ...begin, run: begin.run && { ...begin.run, input } })
    }
    expect((await claimed(at, 'last', 'interrupt')).claim.carried).toEqual(odd)
  })

  test('a run that only goes on has no input to carry, but what it was carried itself', async () => {
    const at = freshThread()
    const goOn = (run: string) => {
      const begin = asking(at, run, 'interrupt')
      return claim(subject(), { ...begin, run: begin.run && { ...begin.run, input: 'null' } })
    }
    await goOn('a')
    expect(inputsOf((await claimed(at, 'b', 'interrupt')).claim)).toEqual(['"input of b"'])
    expect(inputsOf(await goOn('c'))).toEqual(['"input of b"', 'null'])
    expect(inputsOf((await claimed(at, 'd', 'interrupt')).claim)).toEqual(['"input of b"', '"input of d"'])
  })

  test('a run of another graph is interrupted like any, and its input is not carried to a graph it was not for', async () => {
    const at = freshThread()
    await claimed(at, 'a', 'reject', { graph: 'other' })
    await begun(at, 'b', 'enqueue')
    expect(inputsOf((await claimed(at, 'c', 'interrupt')).claim)).toEqual(['"input of b"', '"input of c"'])
    expect(await statuses(subject(), at)).toEqual({ a: 'interrupted', b: 'interrupted', c: 'running' })
  })

  test('a run rolled back is as if it had never begun: head and hash, not the numbers', async () => {
    const at = freshThread()
    const before = await turn(subject(), at, 'a', ['a 0', 'a 1'])
    const running = await claimed(at, 'b', 'reject')
    const half = await committed(subject(), running.tip, 1, ['b 0', 'b 1'], { status: 'running' })
    await begun(at, 'c', 'enqueue')
    const { claim: rolled, tip } = await claimed(at, 'd', 'rollback')
    expect(rolled).toMatchObject({ head: 2, hash: before.hash, lastSeq: 4, mine: true, step: 0 })
    expect(inputsOf(rolled)).toEqual(['"input of d"'])
    expect(rolled.frames?.map(({ text }) => text)).toEqual(['a 0', 'a 1'])
    expect(await subject().threads.get(at)).toMatchObject({ head: 2, status: 'busy' })
    const late = await subject().commitStep(commitOf(half, 2, ['late']).commit)
    expect(late).toMatchObject({ outcome: 'fenced', status: 'cancelled' })
    expect(await subject().renewLease(half.claim, 60_000)).toBe('cancelled')
    expect(await statuses(subject(), at)).toEqual({ a: 'success', b: 'cancelled', c: 'cancelled', d: 'running' })
    expect(await begun(at, 'c', 'enqueue')).toMatchObject({ outcome: 'ended', run: { status: 'cancelled' } })

    expect((await committed(subject(), tip, 0, ['d'])).head).toBe(5)
    expect(shapeOf(await frames(subject(), at))).toBe('d1 d2 d5')
    expect((await frames(subject(), at, 4)).map(({ text }) => text)).toEqual(['a 0', 'a 1', 'b 0', 'b 1'])
  })

  test("a thread's first run rolled back leaves an empty thread, committed or not", async () => {
    for (const deltas of [[], ['a 0', 'a 1']]) {
      const at = freshThread()
      const { tip } = await claimed(at, 'a', 'reject')
      if (deltas.length > 0) await committed(subject(), tip, 1, deltas, { status: 'running' })
      const rolled = await claimed(at, 'b', 'rollback')
      expect(rolled.claim).toMatchObject({ head: 0, hash: '', lastSeq: deltas.length, frames: [], carried: [] })
      expect(rolled.claim).toMatchObject({ chainBytes: 0, baseBytes: 0 })
      const { head } = await committed(subject(), rolled.tip, 0, ['b'])
      expect(head).toBe(deltas.length + 1)
      expect(await frames(subject(), at)).toMatchObject([{ seq: head, parent: 0, text: 'b' }])
    }
  })

  test('a run is rolled back to where it began, also after a take-over, and not to where those before it did', async () => {
    const at = freshThread()
    const first = await claimed(at, 'a', 'reject')
    await committed(subject(), first.tip, 0, ['a 0'], { status: 'running' })
    const { tip } = await claimed(at, 'b', 'interrupt')
    await committed(subject(), tip, 0, ['b 0'], { status: 'running', leaseMs: 1 })
    await passing(20)
    const sweep = takeOver(at, 'sweep')
    await committed(subject(), tipOf(sweep, await claim(subject(), sweep)), 1, ['b 1'], { status: 'running' })
    const { claim: rolled } = await claimed(at, 'c', 'rollback')
    expect(rolled).toMatchObject({ head: 1, lastSeq: 3, carried: [] })
    expect(rolled.frames?.map(({ text }) => text)).toEqual(['a 0'])
  })

  test('a line of runs that have not begun rolls back to the head as it is', async () => {
    const at = freshThread()
    const { tip } = await claimed(at, 'a', 'reject')
    await begun(at, 'b', 'enqueue')
    const { head, hash } = await committed(subject(), tip, 0, ['a'])
    expect((await claimed(at, 'c', 'rollback')).claim).toMatchObject({ head, hash, carried: [] })
    expect(await statuses(subject(), at)).toEqual({ a: 'success', b: 'cancelled', c: 'running' })
  })

  test.each(['interrupt', 'rollback'] as const)('on an idle thread %s is a turn like any other', async (strategy) => {
    const at = freshThread()
    const { head, hash } = await turn(subject(), at, 'a', ['a'])
    const { claim: won } = await claimed(at, 'b', strategy)
    expect(won).toMatchObject({ run: 'b', mine: true, epoch: 2, head, hash, carried: [], attempts: 1 })
    expect(await statuses(subject(), at)).toEqual({ a: 'success', b: 'running' })
  })

  test.each(['interrupt', 'rollback'] as const)(
    'a retry of a request to %s does it no second time',
    async (strategy) => {
      const at = freshThread()
      await claimed(at, 'a', 'reject')
      const second = await claimed(at, 'b', strategy)
      await begun(at, 'c', 'enqueue')
      expect(await claim(subject(), asking(at, 'b', strategy))).toEqual(second.claim)
      expect(await begun(at, 'b', strategy, { token: 'x' })).toEqual({ outcome: 'queued', run: 'b', ahead: 0 })
      await committed(subject(), second.tip, 0, ['b'])
      expect(await begun(at, 'b', strategy, { token: 'y' })).toMatchObject({ outcome: 'ended', run: { run: 'b' } })
      expect(await statuses(subject(), at)).toMatchObject({ b: 'success', c: 'queued' })
      expect((await claimed(at, 'c', 'enqueue')).claim).toMatchObject({ run: 'c', carried: [] })
    },
  )

  test.each(['interrupt', 'rollback'] as const)(
    'a request to %s that is refused pushes nobody aside',
    async (strategy) => {
      const at = freshThread()
      await turn(subject(), { ...at, thread: 'next door' }, 'used', ['d'])
      const { tip } = await claimed(at, 'a', 'reject')
      expect(await begun(at, 'used', strategy)).toEqual({ outcome: 'key-reused' })
      expect(await begun({ ...at, owner: 'bob' }, 'b', strategy)).toEqual({ outcome: 'unknown-thread' })
      expect(await statuses(subject(), at)).toEqual({ a: 'running' })
      await committed(subject(), tip, 0, ['a'])
    },
  )

  test('a run that is dead is not interrupted, and what killed its workers is not carried on', async () => {
    const at = freshThread()
    await claimed(at, 'a', 'reject', { leaseMs: 1 })
    await passing(20)
    const { claim: next } = await claimed(at, 'b', 'interrupt', { maxAttempts: 1 })
    expect(inputsOf(next)).toEqual(['"input of b"'])
    expect(await statuses(subject(), at)).toEqual({ a: 'dead', b: 'running' })
  })
}
