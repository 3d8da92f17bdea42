// The contract of the line before a busy thread: who is refused, who waits, in which order, and for how long.
import { expect, test } from 'vitest'
import type { ThreadKey } from '../../../src/ports/checkpointer.ts'
import type { Later } from '../later.ts'
import { asking, claim, committed, freshThread, request, type Subject, statuses, takeOver, tipOf } from './turn.ts'

/** Longer than a queued run is left to whoever waits for it. */
const unattendedMs = 5_600

export function line(subject: Subject, later: Later) {
  const begun = (...of: Parameters<typeof asking>) => subject().beginTurn(asking(...of))
  const claimed = async (...of: Parameters<typeof asking>) => {
    const begin = asking(...of)
    const won = await claim(subject(), begin)
    return { claim: won, tip: tipOf(begin, won) }
  }
  const orphansOf = async ({ tenant }: ThreadKey) =>
    (await subject().orphans({ graphs: ['graph', 'other'], limit: 10_000 }))
      .filter((orphan) => orphan.tenant === tenant)
      .map(({ run }) => run)

  test('beside a line that is waited for, a run that will not wait is refused, and leaves no row', async () => {
    const at = freshThread()
    const { tip } = await claimed(at, 'a', 'reject')
    await begun(at, 'b', 'enqueue')
    expect(await begun(at, 'c', 'reject')).toMatchObject({ outcome: 'busy', run: 'a' })
    await committed(subject(), tip, 0, ['d'])
    expect(await begun(at, 'c', 'reject')).toMatchObject({ outcome: 'busy', run: 'b' })
    expect(await statuses(subject(), at)).toEqual({ a: 'success', b: 'queued' })
  })

  test('runs wait in the order they came in, whatever order they ask again in, and are told how many are ahead', async () => {
    const at = freshThread()
    let { tip } = await claimed(at, 'a', 'enqueue')
    for (const [ahead, run] of [...'bcd'].entries()) {
      expect(await begun(at, run, 'enqueue')).toEqual({ outcome: 'queued', run, ahead: ahead + 1 })
    }
    for (const [ahead, run] of [...'bcd'].entries()) {
      for (const waiting of [...'dcb'].filter((other) => other >= run)) {
        expect(await begun(at, waiting, 'enqueue')).toMatchObject({ outcome: 'queued', run: waiting })
      }
      tip = await committed(subject(), tip, 0, [`step ${ahead}`])
      for (const early of [...'dcb'].filter((other) => other > run)) {
        expect(await begun(at, early, 'enqueue')).toMatchObject({ outcome: 'queued', run: early })
      }
      const next = await claimed(at, run, 'enqueue')
      expect(next.claim).toMatchObject({ run, mine: true, attempts: 1, head: ahead + 1, carried: [] })
      tip = next.tip
    }
    expect(await statuses(subject(), at)).toEqual({ a: 'success', b: 'success', c: 'success', d: 'running' })
  })

  test('a run that waits is the same run when it is asked for again by its key, whatever else is new', async () => {
    const at = freshThread()
    await claimed(at, 'a', 'enqueue')
    await begun(at, 'b', 'enqueue')
    const { run } = asking(at, 'b', 'enqueue')
    const again = { outcome: 'queued', run: 'b', ahead: 1 }
    for (const strategy of ['enqueue', 'reject', 'interrupt', 'rollback'] as const) {
      const asked = { token: 'another', run: run && { ...run, run: 'another id', strategy } }
      expect(await subject().beginTurn(request(at, 'b', asked))).toEqual(again)
    }
    const otherBody = { run: run && { ...run, bodyHash: 'another' } }
    expect(await subject().beginTurn(request(at, 'b', otherBody))).toEqual({ outcome: 'key-reused' })
    expect(await statuses(subject(), at)).toEqual({ a: 'running', b: 'queued' })
  })

  test("a line with another graph's run in it is kept in order", async () => {
    const at = freshThread()
    const { tip } = await claimed(at, 'a', 'enqueue')
    await begun(at, 'b', 'enqueue', { graph: 'other' })
    await begun(at, 'c', 'enqueue')
    await committed(subject(), tip, 0, ['d'])
    expect(await begun(at, 'c', 'enqueue')).toEqual({ outcome: 'queued', run: 'c', ahead: 1 })
    expect((await claimed(at, 'b', 'enqueue', { graph: 'other' })).claim).toMatchObject({ run: 'b', graph: 'other' })
  })

  test('a run that waits and is asked for is left alone; one that nobody has asked for a while is anybody’s', async () => {
    const [line, swept] = [freshThread(), freshThread()]
    for (const at of [line, swept]) {
      const { tip } = await claimed(at, 'a', 'enqueue')
      await begun(at, 'b', 'enqueue')
      await begun(at, 'c', 'enqueue')
      await committed(subject(), tip, 0, ['d'])
      expect(await begun(at, 'c', 'enqueue')).toEqual({ outcome: 'queued', run: 'c', ahead: 1 })
      expect(await subject().beginTurn(takeOver(at, 'sweep'))).toEqual({ outcome: 'nothing-due' })
      expect(await orphansOf(at)).toEqual([])
    }
    for (const { tenant } of [line, swept]) await later(tenant, unattendedMs)
    expect(await orphansOf(swept)).toEqual(['b', 'c'])
    const next = await claim(subject(), asking(line, 'c', 'enqueue'))
    expect(next).toMatchObject({ run: 'b', mine: false, input: '"input of b"', attempts: 1 })
    expect(await begun(line, 'c', 'enqueue', { token: 'else' })).toEqual({ outcome: 'queued', run: 'c', ahead: 1 })
    expect(await begun(line, 'b', 'enqueue', { token: 'back' })).toEqual({ outcome: 'queued', run: 'b', ahead: 0 })
    expect(await orphansOf(line)).toEqual([])

    const sweep = takeOver({ ...swept, owner: null }, 'sweep')
    const taken = await claim(subject(), sweep)
    expect(taken).toMatchObject({ run: 'b', mine: false, owner: 'ada' })
    await committed(subject(), tipOf(sweep, taken), 0, ['d'])
    await begun(swept, 'c', 'enqueue', { graph: 'busy elsewhere' })
    expect(await subject().beginTurn({ ...sweep, token: 'next' })).toEqual({ outcome: 'nothing-due' })
    expect(await orphansOf(swept)).toEqual([])
  })
}
