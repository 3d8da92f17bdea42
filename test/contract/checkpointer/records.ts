// The contract of thread and run records, and of the list of orphans.
import { expect, test } from 'vitest'
import type { ThreadSearch } from '../../../src/ports/thread-records.ts'
import type { Later } from '../later.ts'
import { claim, frames, freshThread, passing, request, type Subject, takeOver, turn } from './turn.ts'

const everything = { owner: null, metadata: {}, ids: null, status: null, limit: 100, offset: 0 } as const

export function records(subject: Subject, later: Later) {
  const search = async (tenant: string, change: Partial<ThreadSearch> = {}) => {
    const asked: ThreadSearch = { tenant, ...everything, sortBy: 'thread', descending: false, ...change }
    const found = (await subject().threads.search(asked)).map(({ thread }) => thread)
    if (change.limit === undefined && change.offset === undefined) {
      expect(await subject().threads.count(asked)).toBe(found.length)
    }
    return found
  }
  const create = (tenant: string, thread: string, metadata: Record<string, unknown> = {}, owner = 'ada') =>
    subject().threads.create({ tenant, thread, owner }, { metadata })

  test('a thread is created once; its owner is told so, another only that the id is taken', async () => {
    const at = freshThread()
    const created = await subject().threads.create(at, { metadata: { topic: 'billing' } })
    expect(created).toMatchObject({
      outcome: 'created',
      thread: { thread: 'thread', owner: 'ada', metadata: { topic: 'billing' }, status: 'idle', graph: null, head: 0 },
    })
    const again = await subject().threads.create(at, { metadata: { topic: 'other' } })
    expect(again).toMatchObject({ outcome: 'exists', thread: { metadata: { topic: 'billing' } } })
    expect(await subject().threads.create({ ...at, owner: 'bob' }, {})).toEqual({ outcome: 'taken' })
    expect(await create(`${at.tenant}-2`, at.thread, {}, 'bob')).toMatchObject({ outcome: 'created' })
  })

  test('a thread is seen by its owner, by nobody else, and by an operator of its tenant', async () => {
    const at = freshThread()
    await subject().threads.create(at, {})
    expect(await subject().threads.get(at)).toMatchObject({ thread: 'thread' })
    expect(await subject().threads.get({ ...at, owner: null })).toMatchObject({ owner: 'ada' })
    for (const other of [{ owner: 'bob' }, { tenant: 'x' }, { thread: 'x' }]) {
      expect(await subject().threads.get({ ...at, ...other })).toBeUndefined()
      expect(await subject().threads.patch({ ...at, ...other }, { metadata: { a: 1 } })).toBeUndefined()
      expect(await subject().threads.delete({ ...at, ...other })).toBe(false)
    }
    expect(await subject().threads.get(at)).toMatchObject({ metadata: {} })
  })

  test('a search finds by owner, ids and status', async () => {
    const { tenant } = freshThread()
    await create(tenant, 'a')
    await create(tenant, 'b', {}, 'bob')
    await claim(subject(), request({ tenant, thread: 'c', owner: 'ada' }))
    expect(await search(tenant)).toEqual(['a', 'b', 'c'])
    expect(await search(tenant, { owner: 'ada' })).toEqual(['a', 'c'])
    expect(await search(tenant, { ids: ['b', 'c', 'nowhere'] })).toEqual(['b', 'c'])
    expect(await search(tenant, { ids: [] })).toEqual([])
    expect(await search(tenant, { status: 'busy' })).toEqual(['c'])
    expect(await search(tenant, { status: 'idle', owner: 'bob' })).toEqual(['b'])
  })

  test('a search finds metadata that is equal as JSON, nested and in any order of keys', async () => {
    const { tenant } = freshThread()
    await create(tenant, 'a', { plan: { tier: 1, tags: ['x', 'y'] }, lang: 'de', none: null })
    await create(tenant, 'b', { plan: { tags: ['x', 'y'], tier: 1 }, lang: 'fr' })
    await create(tenant, 'c', { plan: { tier: '1', tags: ['y', 'x'] }, constructor: 1 })
    const found = (metadata: Record<string, unknown>) => search(tenant, { metadata })
    expect(await found({ plan: { tier: 1, tags: ['x', 'y'] } })).toEqual(['a', 'b'])
    expect(await found({ plan: { tags: ['x', 'y'], tier: 1 }, lang: 'de' })).toEqual(['a'])
    expect(await found({ plan: { tier: 1 } })).toEqual([])
    expect(await found({ plan: { tier: 1, tags: ['y', 'x'] } })).toEqual([])
    expect(await found({ none: null })).toEqual(['a'])
    expect(await found({ constructor: 1 })).toEqual(['c'])
    expect(await found({ toString: 'x' })).toEqual([])
    expect(await found({ lang: "de' or true --" })).toEqual([])
  })

  test('a search is paged and sorted both ways', async () => {
    const { tenant } = freshThread()
    for (const thread of ['b', 'a', 'c']) {
      await create(tenant, thread)
      await passing(5)
    }
    await subject().threads.patch({ tenant, thread: 'b', owner: 'ada' }, { metadata: { seen: true } })
    expect(await search(tenant, { descending: true })).toEqual(['c', 'b', 'a'])
    expect(await search(tenant, { sortBy: 'createdAt' })).toEqual(['b', 'a', 'c'])
    expect(await search(tenant, { sortBy: 'updatedAt', descending: true })).toEqual(['b', 'c', 'a'])
    expect(await search(tenant, { limit: 2 })).toEqual(['a', 'b'])
    expect(await search(tenant, { limit: 2, offset: 2 })).toEqual(['c'])
    expect(await search(tenant, { limit: 2, offset: 9 })).toEqual([])
  })

  test('a patch merges at the top, a null removes, and the thread counts as touched', async () => {
    const at = freshThread()
    const created = await subject().threads.create(at, { metadata: { keep: 1, change: { a: 1, b: 2 }, drop: true } })
    await passing(5)
    const change = { change: { c: 3 }, drop: null, add: [null], never: null }
    const patched = await subject().threads.patch(at, { metadata: change })
    expect(patched?.metadata).toEqual({ keep: 1, change: { c: 3 }, add: [null] })
    expect(await subject().threads.get(at)).toEqual(patched)
    const createdAt = created.outcome === 'created' ? created.thread.updatedAt : ''
    expect((patched?.updatedAt ?? '') > createdAt).toBe(true)
  })

  test('what a caller does to its own metadata later is not stored', async () => {
    const at = freshThread()
    const metadata = { plan: { tier: 1 } }
    await subject().threads.create(at, { metadata })
    metadata.plan.tier = 2
    const patch = { other: { tier: 1 } }
    await subject().threads.patch(at, { metadata: patch })
    patch.other.tier = 2
    expect((await subject().threads.get(at))?.metadata).toEqual({ plan: { tier: 1 }, other: { tier: 1 } })
  })

  test('a deleted thread is gone with its runs and checkpoints, and its id is free', async () => {
    const at = freshThread()
    await turn(subject(), at, 'run-1', ['secret'])
    expect(await subject().threads.delete(at)).toBe(true)
    expect(await subject().threads.delete(at)).toBe(false)
    expect(await subject().runs.get(at, 'run-1')).toBeUndefined()
    await subject().threads.create({ ...at, owner: 'bob' }, {})
    expect(await frames(subject(), { ...at, owner: 'bob' })).toEqual([])
    expect(await subject().runs.list({ ...at, owner: 'bob' }, { limit: 10, offset: 0 })).toEqual([])
    expect(await turn(subject(), { ...at, owner: 'bob' }, 'run-1', ['d'])).toMatchObject({ head: 1 })
  })

  test('runs are listed newest first, in pages, to those who may see the thread', async () => {
    const at = freshThread()
    for (const run of ['z', 'y', 'x']) await turn(subject(), at, run, ['d'])
    const list = async (change: object, limit = 10, offset = 0) =>
      (await subject().runs.list({ ...at, ...change }, { limit, offset })).map(({ run }) => run)
    expect(await list({})).toEqual(['x', 'y', 'z'])
    expect(await list({ owner: null }, 2, 1)).toEqual(['y', 'z'])
    expect(await list({ owner: 'bob' })).toEqual([])
    expect(await subject().runs.get(at, 'y')).toMatchObject({ run: 'y', thread: 'thread', graph: 'graph', answer: 2 })
    expect(await subject().runs.get({ ...at, owner: 'bob' }, 'y')).toBeUndefined()
    await subject().threads.create({ ...at, thread: 'other' }, {})
    expect(await subject().runs.get({ ...at, thread: 'other' }, 'y')).toBeUndefined()
  })

  test('orphans are the runs whose lease has run out, the longest untouched first', async () => {
    const { tenant } = freshThread()
    const at = (thread: string) => ({ tenant, thread, owner: 'ada' })
    const ours = async () =>
      (await subject().orphans({ graphs: ['graph'], limit: 10_000 })).filter((orphan) => orphan.tenant === tenant)
    for (const thread of ['a', 'b', 'c']) {
      await claim(subject(), request(at(thread), `run of ${thread}`, { leaseMs: 10 }))
      await passing(5)
    }
    await claim(subject(), request(at('held'), 'run of held', { leaseMs: 600_000 }))
    await turn(subject(), at('done'), 'run of done', ['d'])
    await passing(20)
    expect(await ours()).toEqual(
      ['a', 'b', 'c'].map((thread) => ({ tenant, thread, run: `run of ${thread}`, graph: 'graph' })),
    )
    await claim(subject(), takeOver(at('a'), 'sweep'))
    expect((await ours()).map(({ thread }) => thread)).toEqual(['b', 'c'])
    // In the order in which they were touched, whenever their leases ended.
    await later(tenant, 60_100)
    expect((await ours()).map(({ thread }) => thread)).toEqual(['b', 'c', 'a'])
    expect(await subject().orphans({ graphs: ['graph'], limit: 1 })).toHaveLength(1)
  })
}
