// The contract on time to live: each item's own, counted from its last read, unless it is pinned.
import { expect, test } from 'vitest'
import type { Checkpointer } from '../../../src/ports/checkpointer.ts'
import type { Later } from '../later.ts'
import { freshTenant, passing, type Subject } from './subject.ts'

export function expiry(subject: Subject, _: () => Checkpointer, later: Later) {
  test('an item lives as its namespace has it, unless it is told otherwise', async () => {
    const at = freshTenant(subject)
    const ttlOf = async (...namespace: string[]) => (await at.get(namespace, 'k'))?.ttlMs
    await at.put(['short', 'longer', 'x'], 'k')
    await at.put(['kept', 'x'], 'k')
    await at.put(['keptx'], 'k')
    await at.put(['kept', 'told'], 'k', {}, { ttlMs: 5_000 })
    await at.put(['pinned'], 'k', {}, { ttlMs: null })
    expect(await ttlOf('short', 'longer', 'x')).toBe(3_600_000)
    expect(await ttlOf('kept', 'x')).toBeNull()
    expect(await ttlOf('keptx')).toBe(90 * 86_400_000)
    expect(await ttlOf('kept', 'told')).toBe(5_000)
    expect(await at.get(['pinned'], 'k')).toMatchObject({ ttlMs: null, expiresAt: null })
  })

  test('an item whose time is over is there for nobody, and begins anew', async () => {
    const at = freshTenant(subject)
    await at.put(['a'], 'k', { n: 1, text: 'canary' }, { ttlMs: 60_000 })
    // By the length that it has.
    await at.put(['a'], 'k', { n: 2, text: 'canary' })
    await later(at.tenant, 60_100)
    expect(await at.keys(['a'])).toEqual([])
    expect(await at.keys(['a'], { query: 'canary' })).toEqual([])
    expect(await subject().listNamespaces({ tenant: at.tenant })).toEqual([])
    expect(await subject().history({ tenant: at.tenant, namespace: ['a'], key: 'k' })).toEqual([])
    expect(await at.get(['a'], 'k')).toBeUndefined()
    expect(await at.delete(['a'], 'k')).toBe(false)
    expect(await at.put(['a'], 'k', { n: 3 }, { expectedVersion: 0 })).toMatchObject({ outcome: 'saved', version: 1 })
    expect(await at.get(['a'], 'k')).toMatchObject({ ttlMs: 90 * 86_400_000 })
  })

  const reads = {
    get: (at: Tenant) => at.get(['short'], 'k'),
    'search without words': (at: Tenant) => at.search(['short']),
    'search by words': (at: Tenant) => at.search(['short'], { query: 'canary' }),
    find: async (at: Tenant) => subject().find({ tenant: at.tenant, prefix: [], ids: [(await idOf(at)) ?? ''] }),
  }
  const idOf = async ({ tenant }: Tenant) =>
    (await subject().get({ tenant, namespace: ['short'], key: 'k', refresh: false }))?.id

  const refreshed = async (how: string, read: (at: Tenant) => Promise<unknown>) => {
    const at = freshTenant(subject)
    await at.put(['short'], 'k', { text: 'canary' })
    await at.put(['short'], 'unread', { text: 'other' })
    for (let time = 0; time < 3; time++) {
      await later(at.tenant, 30_000)
      await read(at)
    }
    const item = await subject().get({ tenant: at.tenant, namespace: ['short'], key: 'k', refresh: false })
    expect(item, how).toMatchObject({ ttlMs: 60_000 })
    await later(at.tenant, 60_100)
    expect(await at.keys(['short']), how).toEqual([])
  }

  test(`${Object.keys(reads).join(', ')}: each refreshes it, by its own length`, async () => {
    for (const [how, read] of Object.entries(reads)) await refreshed(how, read)
  })

  test('what is behind the limit of a page was not read', async () => {
    const at = freshTenant(subject)
    for (const key of ['a', 'b', 'c']) await at.put(['users'], key, { text: 'canary' }, { ttlMs: 60_000 })
    await later(at.tenant, 18_000)
    const before = await at.search(['users'], { refresh: false })
    const read = [
      ...(await at.search(['users'], { limit: 1 })).items,
      ...(await at.search(['users'], { limit: 1, query: 'canary' })).items,
      ...(await at.search(['users'], { limit: 1, afterId: '' })).items,
    ].map(({ key }) => key)
    const after = await at.search(['users'], { refresh: false })
    const timeOf = (page: typeof before, name: string) => page.items.find(({ key }) => key === name)?.expiresAt
    for (const key of ['a', 'b', 'c']) {
      expect([key, timeOf(after, key) !== timeOf(before, key)]).toEqual([key, read.includes(key)])
    }
  })

  test('a read that does not refresh leaves its time as it is', async () => {
    const at = freshTenant(subject)
    const { tenant } = at
    await at.put(['short'], 'k', { text: 'canary' })
    await later(tenant, 36_000)
    const read = { tenant, namespace: ['short'], key: 'k', refresh: false }
    const { id = '' } = (await subject().get(read)) ?? {}
    await subject().search({ tenant, prefix: [], refresh: false })
    await subject().search({ tenant, prefix: [], query: 'canary', refresh: false })
    await subject().find({ tenant, prefix: [], ids: [id], refresh: false })
    await later(tenant, 30_000)
    expect(await subject().get(read)).toBeUndefined()
  })

  test('what is written again lives as long as before, from now on', async () => {
    const at = freshTenant(subject)
    await at.put(['a'], 'k', { n: 1 }, { ttlMs: 60_000 })
    await later(at.tenant, 36_000)
    await at.put(['a'], 'k', { n: 2 })
    await later(at.tenant, 36_000)
    expect(await at.get(['a'], 'k')).toMatchObject({ ttlMs: 60_000 })
    await at.put(['a'], 'k', { n: 3 }, { ttlMs: null })
    await at.put(['a'], 'k', { n: 4 })
    expect(await at.get(['a'], 'k')).toMatchObject({ ttlMs: null })
  })

  test('a sweep deletes what is over, some at a time', async () => {
    const at = freshTenant(subject)
    for (let n = 0; n < 3; n++) await at.put(['a'], `k${n}`, {}, { ttlMs: 1 })
    await at.put(['a'], 'stays')
    await passing(10)
    expect(await subject().expire(2)).toBe(2)
    while ((await subject().expire(100)) > 0);
    expect(await at.keys([])).toEqual(['stays'])
  })
}

type Tenant = ReturnType<typeof freshTenant>
