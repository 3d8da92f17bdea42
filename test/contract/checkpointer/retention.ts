// What a thread may forget, and when it goes: pruning, its time to live, runs of graphs that are gone.
import { expect, test } from 'vitest'
import type { ThreadKey } from '../../../src/ports/checkpointer.ts'
import type { Later } from '../later.ts'
import { answering, question } from './questions.ts'
import {
  asking,
  claim,
  committed,
  frames,
  freshThread,
  passing,
  request,
  type Subject,
  shapeOf,
  tipOf,
  turn,
} from './turn.ts'

export function retention(subject: Subject, later: Later) {
  /** `count` turns of one checkpoint each, with a snapshot at each of `snapshots`. */
  const grown = async (count: number, snapshots: readonly number[]) => {
    const at = freshThread()
    for (let number = 1; number <= count; number++) await turn(subject(), at, `run-${number}`, [`d${number}`])
    for (const seq of snapshots) await snapshotAt(at, seq)
    return at
  }
  const snapshotAt = async ({ tenant, thread, owner }: ThreadKey, seq: number) => {
    const hash = (await frames(subject(), { tenant, thread, owner }, seq, 1)).at(-1)?.hash ?? ''
    await subject().putSnapshot({ tenant, thread, seq, hash, text: `S${seq}` })
  }
  const all = async (at: ThreadKey, seq: number | null = null) => shapeOf(await frames(subject(), at, seq))

  test('a thread keeps its newest checkpoints, and what is needed to read them', async () => {
    const at = await grown(10, [3, 6])
    expect(await subject().threads.prune(at, 3)).toBe(5)
    expect(await all(at)).toBe('s6 d7 d8 d9 d10')
    expect(await all(at, 5)).toBe('')
    expect((await frames(subject(), at, 8, 1)).map(({ text }) => text)).toEqual(['S6', 'd7', 'd8'])
    expect(await subject().threads.prune(at, 3)).toBe(0)
    expect(await turn(subject(), at, 'run-11', ['d11'])).toMatchObject({ head: 11 })
    expect(await all(at)).toBe('s6 d7 d8 d9 d10 d11')
  })

  test('without a snapshot nothing can go', async () => {
    const at = await grown(5, [])
    expect(await subject().threads.prune(at, 1)).toBe(0)
    expect(await all(at)).toBe('d1 d2 d3 d4 d5')
  })

  test('a page of history that reaches the cut ends there', async () => {
    const at = await grown(6, [4])
    await subject().threads.prune(at, 1)
    expect(shapeOf(await frames(subject(), at, null, 2))).toBe('s4 d5 d6')
    expect(shapeOf(await frames(subject(), at, null, 50))).toBe('s4 d5 d6')
  })

  test('where a run at work would be rolled back to stays', async () => {
    const at = await grown(6, [2, 4])
    const begin = request(at, 'run-7')
    const tip = await committed(subject(), tipOf(begin, await claim(subject(), begin)), 1, ['a', 'b'], {
      status: 'running',
    })
    for (const seq of [7, 8]) await snapshotAt(at, seq)
    expect(await subject().threads.prune(at, 1)).toBe(4)
    const rolled = await claim(subject(), asking(at, 'run-8', 'rollback'))
    expect(rolled).toMatchObject({ head: 6 })
    expect(rolled.frames && shapeOf(rolled.frames)).toBe('s4 d5 d6')
    expect(tip.head).toBe(8)
  })

  test('where a run that waits would be rolled back to, once it is answered, stays', async () => {
    const at = await grown(6, [2, 4])
    const begin = request(at, 'run-7')
    const tip = tipOf(begin, await claim(subject(), begin))
    const asked = question()
    await committed(subject(), tip, 1, ['a', 'b'], { status: 'waiting', questions: [asked] })
    for (const seq of [7, 8]) await snapshotAt(at, seq)
    expect(await subject().threads.prune(at, 1)).toBe(4)
    await subject().approvals.answer(answering(at, asked.id))
    const rolled = await claim(subject(), asking(at, 'run-8', 'rollback'))
    expect(rolled).toMatchObject({ head: 6 })
    expect(rolled.frames && shapeOf(rolled.frames)).toBe('s4 d5 d6')
  })

  test('where a run in line is to begin stays', async () => {
    const at = await grown(6, [2, 5])
    const begin = request(at, 'run-7')
    const tip = tipOf(begin, await claim(subject(), begin))
    const { run, ...rest } = asking(at, 'run-8', 'enqueue')
    const fork = { ...rest, run: run && { ...run, forkFrom: 3 } }
    expect(await subject().beginTurn(fork)).toMatchObject({ outcome: 'queued' })
    await committed(subject(), tip, 0, ['a'])
    expect(await subject().threads.prune(at, 1)).toBe(2)
    const claimed = await claim(subject(), fork)
    expect(claimed).toMatchObject({ run: 'run-8', head: 3 })
    expect(claimed.frames && shapeOf(claimed.frames)).toBe('s2 d3')
  })

  test('what a run left aside that was rolled back goes, once it is behind', async () => {
    const at = await grown(2, [1, 2])
    const begin = request(at, 'aside')
    await committed(subject(), tipOf(begin, await claim(subject(), begin)), 1, ['a', 'b'], { status: 'running' })
    const next = asking(at, 'run-3', 'rollback')
    await committed(subject(), tipOf(next, await claim(subject(), next)), 0, ['c'])
    expect(await all(at, 4)).toBe('d1 d2 d3 d4')
    expect(await subject().threads.prune(at, 1)).toBe(3)
    expect(await all(at)).toBe('s2 d5')
    expect(await all(at, 4)).toBe('')
  })

  test('only whose thread it is may prune it', async () => {
    const at = await grown(3, [1, 2])
    for (const other of [{ owner: 'bob' }, { tenant: 'x' }, { thread: 'x' }]) {
      expect(await subject().threads.prune({ ...at, ...other }, 1)).toBeUndefined()
    }
    expect(await subject().threads.prune({ ...at, owner: null }, 1)).toBe(1)
  })

  const expired = async ({ tenant }: ThreadKey) =>
    (await subject().threads.expired(10_000)).filter((thread) => thread.tenant === tenant)

  test('a thread with a time to live goes when it has not been used for so long', async () => {
    const at = freshThread()
    await claim(subject(), request(at, 'run-1', { threadTtlMs: 90_000 })).then((claimed) =>
      committed(subject(), tipOf(request(at), claimed), 0, ['d']),
    )
    await later(at.tenant, 60_000)
    await turn(subject(), at, 'run-2', ['d'])
    await later(at.tenant, 60_000)
    expect(await expired(at)).toEqual([])
    expect(await subject().threads.deleteExpired({ ...at, owner: 'ada' })).toBe(false)
    await later(at.tenant, 60_000)
    expect(await expired(at)).toEqual([{ tenant: at.tenant, thread: at.thread, owner: 'ada' }])
    expect(await subject().threads.deleteExpired({ ...at, owner: 'ada' })).toBe(true)
    expect(await subject().threads.get(at)).toBeUndefined()
    expect(await subject().threads.deleteExpired({ ...at, owner: 'ada' })).toBe(false)
  })

  test('a time to live can be given at the start and later, and is not taken away by a change of something else', async () => {
    const given = freshThread()
    await subject().threads.create(given, { ttlMs: 20 })
    const later = freshThread()
    await subject().threads.create(later, {})
    await subject().threads.patch(later, { ttlMs: 20 })
    await subject().threads.patch(later, { metadata: { a: 1 } })
    const never = freshThread()
    await subject().threads.create(never, {})
    await passing(40)
    expect(await Promise.all([given, later, never].map(async (at) => (await expired(at)).length))).toEqual([1, 1, 0])
  })

  test('a thread with a run that is due stays, however long that waits', async () => {
    const at = freshThread()
    await claim(subject(), request(at, 'run-1', { threadTtlMs: 10, leaseMs: 10 }))
    await passing(40)
    expect(await expired(at)).toEqual([])
    expect(await subject().threads.deleteExpired({ ...at, owner: 'ada' })).toBe(false)
  })

  test('a run of a graph that nobody has is given up after its time, and its thread is usable', async () => {
    const gone = freshThread()
    const known = freshThread()
    const held = freshThread()
    // A name of its own: the suites of one database share it.
    const graph = `gone-${gone.tenant}`
    await claim(subject(), request(gone, 'run-1', { graph, leaseMs: 10 }))
    await claim(subject(), request(held, 'run-1', { graph }))
    await claim(subject(), request(known, 'run-1', { leaseMs: 10 }))
    await passing(30)
    const giveUp = (olderThanMs: number) => subject().giveUpRuns({ graphsOtherThan: ['graph', 'other'], olderThanMs })
    await giveUp(60_000)
    expect(await subject().runs.get(gone, 'run-1')).toMatchObject({ status: 'running', orphaned: true })
    await giveUp(20)
    expect(await subject().runs.get(gone, 'run-1')).toMatchObject({
      ...{ status: 'dead', orphaned: false, error: { code: 'graph_unknown' } },
    })
    expect(await subject().runs.get(known, 'run-1')).toMatchObject({ status: 'running', orphaned: true })
    expect(await subject().runs.get(held, 'run-1')).toMatchObject({ status: 'running', orphaned: false })
    expect(await subject().threads.get(gone)).toMatchObject({ status: 'error' })
    expect(await turn(subject(), gone, 'run-2', ['d'])).toMatchObject({ head: 1 })
  })
}
