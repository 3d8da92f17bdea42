// The contract on versions: history with where each came from, expected versions, and writes that are sent twice.
import { expect, test } from 'vitest'
import { freshTenant, type Subject } from './subject.ts'

export function versions(subject: Subject) {
  test('history has every version, newest first, with where it came from', async () => {
    const at = freshTenant(subject)
    await at.put(['a'], 'k', { city: 'Rome' }, { source: 'chat', author: 'alex', tags: ['home'] })
    await at.put(['a'], 'k', { city: 'Oslo' }, { source: 'import' })
    await at.put(['a'], 'k', { city: 'Bern' }, { author: 'bob' })
    const read = { tenant: at.tenant, namespace: ['a'], key: 'k' }
    const history = await subject().history(read)
    expect(history).toMatchObject([
      { version: 3, value: { city: 'Bern' }, source: null, author: 'bob', tags: [] },
      { version: 2, value: { city: 'Oslo' }, source: 'import', author: null },
      { version: 1, value: { city: 'Rome' }, source: 'chat', author: 'alex', tags: ['home'] },
    ])
    const { createdAt, updatedAt } = (await at.get(['a'], 'k')) ?? {}
    expect([history[2]?.at, history[0]?.at]).toEqual([createdAt, updatedAt])
    expect((await subject().history({ ...read, limit: 1, before: 3 })).map(({ version }) => version)).toEqual([2])
    expect((await subject().history({ ...read, limit: 2 })).map(({ version }) => version)).toEqual([3, 2])
  })

  test('an item that is deleted has no history, and begins anew', async () => {
    const at = freshTenant(subject)
    await at.put(['a'], 'k', { n: 1 })
    await at.put(['a'], 'k', { n: 2 })
    await at.delete(['a'], 'k')
    expect(await subject().history({ tenant: at.tenant, namespace: ['a'], key: 'k' })).toEqual([])
    expect(await at.put(['a'], 'k', { n: 3 })).toMatchObject({ version: 1 })
    expect(await subject().history({ tenant: at.tenant, namespace: ['a'], key: 'k' })).toMatchObject([{ version: 1 }])
  })

  test('versions that came from a source are forgotten, and nothing else of their items', async () => {
    const [at, other] = [freshTenant(subject), freshTenant(subject)]
    for (const { put } of [at, other]) {
      await put(['a'], 'k', { n: 1 }, { source: 'chat' })
      await put(['a'], 'k', { n: 2 }, { source: 'import' })
      await put(['a'], 'k', { n: 3 }, { source: 'chat' })
      await put(['a'], 'k', { n: 4 })
    }
    await at.put(['a'], 'now', { n: 1 }, { source: 'chat' })
    expect(await subject().forgetVersions({ tenant: at.tenant, source: 'chat' })).toBe(2)
    expect(await subject().forgetVersions({ tenant: at.tenant, source: 'chat' })).toBe(0)
    const read = { namespace: ['a'], key: 'k' }
    const left = await subject().history({ ...read, tenant: at.tenant })
    expect(left.map(({ version }) => version)).toEqual([4, 2])
    expect(await subject().history({ ...read, tenant: other.tenant })).toHaveLength(4)
    expect(await at.get(['a'], 'now')).toMatchObject({ version: 1 })
  })

  test('the last 100 versions are kept', async () => {
    const at = freshTenant(subject)
    for (let n = 1; n <= 103; n++) await at.put(['a'], 'k', { n })
    const read = { tenant: at.tenant, namespace: ['a'], key: 'k' }
    expect(await subject().history({ ...read, limit: 100, before: 6 })).toMatchObject([{ version: 5 }, { version: 4 }])
  })

  test('the same written again is no other version', async () => {
    const at = freshTenant(subject)
    await at.put(['a'], 'k', { n: 1 }, { tags: ['x'], source: 's' })
    expect(await at.put(['a'], 'k', { n: 1 }, { tags: ['x'], source: 's' })).toMatchObject({ version: 1 })
    expect(await at.put(['a'], 'k', { n: 1 }, { tags: ['x'], source: 't' })).toMatchObject({ version: 2 })
  })

  test('a write that expects a version is refused when another is there, and may be sent again', async () => {
    const at = freshTenant(subject)
    const put = (n: number, expectedVersion: number) => at.put(['a'], 'k', { n }, { expectedVersion })
    expect(await put(1, 1)).toMatchObject({ outcome: 'outdated', version: 0 })
    expect(await put(1, 0)).toMatchObject({ outcome: 'saved', version: 1 })
    expect(await put(1, 0)).toMatchObject({ outcome: 'saved', version: 1 })
    expect(await put(2, 0)).toMatchObject({ outcome: 'outdated', version: 1 })
    expect(await put(2, 1)).toMatchObject({ outcome: 'saved', version: 2 })
    expect(await put(2, 1)).toMatchObject({ outcome: 'saved', version: 2 })
    expect(await at.get(['a'], 'k')).toMatchObject({ value: { n: 2 }, version: 2 })
    const remove = (expectedVersion: number) =>
      subject().delete({ tenant: at.tenant, namespace: ['a'], key: 'k', expectedVersion })
    expect(await remove(1)).toBe(false)
    expect(await remove(2)).toBe(true)
  })

  test('of 20 that expect the same version one writes', async () => {
    const at = freshTenant(subject)
    const puts = await Promise.all(
      Array.from({ length: 20 }, (_, n) => at.put(['a'], 'k', { n }, { expectedVersion: 0 })),
    )
    expect(puts.filter(({ outcome }) => outcome === 'saved')).toHaveLength(1)
  })

  test.each([[1.5], [-1], ['1' as unknown as number]])('%j is no version', async (version) => {
    const at = freshTenant(subject)
    await at.put(['a'], 'k')
    const address = { tenant: at.tenant, namespace: ['a'], key: 'k' }
    const refused = { code: 'input_invalid' }
    await expect(subject().delete({ ...address, expectedVersion: version })).rejects.toMatchObject(refused)
    await expect(subject().history({ ...address, before: version })).rejects.toMatchObject(refused)
    const operations = [{ op: 'delete', namespace: ['a'], key: 'k', expectedVersion: version } as const]
    await expect(subject().batch({ tenant: at.tenant, operations })).rejects.toMatchObject(refused)
    expect(await at.get(['a'], 'k')).toBeDefined()
  })
}
