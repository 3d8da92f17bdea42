// The contract on items: written, read, deleted, several at once, and by many at once.
import { expect, test } from 'vitest'
import type { ItemOperation } from '../../../src/ports/store.ts'
import { freshTenant, type Subject } from './subject.ts'

const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

export function items(subject: Subject) {
  test('an item comes back as it was written', async () => {
    const at = freshTenant(subject)
    const value = { text: 'prefers tea', size: { width: 3 }, list: [1, null, 'x'], when: new Date(0) }
    const put = await at.put(['users', 'alex'], 'drink', value, {
      tags: ['taste', 'taste'],
      source: 'chat',
      author: 'alex',
    })
    expect(put).toEqual({ outcome: 'saved', id: expect.stringMatching(/^[\w-]{24}$/), version: 1 })
    const item = await at.get(['users', 'alex'], 'drink')
    expect(item).toEqual({
      ...{ namespace: ['users', 'alex'], key: 'drink', id: put.id, value, text: 'prefers tea', tags: ['taste'] },
      ...{ source: 'chat', author: 'alex', version: 1, createdAt: iso, updatedAt: iso, expiresAt: iso },
      ttlMs: 90 * 86_400_000,
    })
    const lives = Date.parse(item?.expiresAt ?? '') - Date.parse(item?.createdAt ?? '')
    expect(Math.abs(lives - 90 * 86_400_000)).toBeLessThan(5)
  })

  test('the text of an item is what it is told, or what its value says', async () => {
    const at = freshTenant(subject)
    await at.put(['a'], 'told', { text: 'no' }, { text: 'yes' })
    await at.put(['a'], 'own', { text: 'yes', more: 'no' })
    await at.put(['a'], 'all', { a: 'one', b: ['two', { c: 'three' }], d: 4 })
    await at.put(['a'], 'none', { text: 'no' }, { text: false })
    const texts = await Promise.all(['told', 'own', 'all', 'none'].map(async (key) => (await at.get(['a'], key))?.text))
    expect(texts).toEqual(['yes', 'yes', 'one\ntwo\nthree', ''])
  })

  test('an item that is written again keeps when it was created, and its id', async () => {
    const at = freshTenant(subject)
    const first = await at.put(['a'], 'k', { n: 1 }, { tags: ['old'], source: 'one' })
    const before = await at.get(['a'], 'k')
    const second = await at.put(['a'], 'k', { n: 2 })
    expect(second).toEqual({ outcome: 'saved', id: first.id, version: 2 })
    expect(await at.get(['a'], 'k')).toMatchObject({
      ...{ value: { n: 2 }, tags: [], source: null, version: 2, createdAt: before?.createdAt },
    })
  })

  test('what is not there is undefined, and deleting it does nothing', async () => {
    const at = freshTenant(subject)
    await at.put(['a', 'b'], 'k')
    expect(await at.get(['a'], 'k')).toBeUndefined()
    expect(await at.get(['a', 'b'], 'K')).toBeUndefined()
    expect(await at.delete(['a', 'b'], 'K')).toBe(false)
    expect(await at.delete(['a', 'b'], 'k')).toBe(true)
    expect(await at.delete(['a', 'b'], 'k')).toBe(false)
    expect(await at.get(['a', 'b'], 'k')).toBeUndefined()
    expect(await at.keys([])).toEqual([])
  })

  test('another tenant sees nothing', async () => {
    const [ours, theirs] = [freshTenant(subject), freshTenant(subject)]
    const { id } = await ours.put(['users', 'alex'], 'k', { text: 'canary' })
    expect(await theirs.get(['users', 'alex'], 'k')).toBeUndefined()
    expect(await theirs.delete(['users', 'alex'], 'k')).toBe(false)
    expect(await theirs.keys([], { query: 'canary' })).toEqual([])
    expect(await theirs.keys([])).toEqual([])
    expect(await subject().find({ tenant: theirs.tenant, prefix: [], ids: [id] })).toEqual([])
    expect(await subject().listNamespaces({ tenant: theirs.tenant })).toEqual([])
    expect(await subject().history({ tenant: theirs.tenant, namespace: ['users', 'alex'], key: 'k' })).toEqual([])
  })

  test('items are found by id, within a namespace', async () => {
    const at = freshTenant(subject)
    const { id } = await at.put(['users', 'alex'], 'k')
    const other = await at.put(['users', 'bob'], 'k')
    const find = (prefix: string[], ids: string[]) => subject().find({ tenant: at.tenant, prefix, ids })
    expect(await find(['users', 'alex'], [id, other.id, 'unknown'])).toMatchObject([{ id }])
    expect(await find(['users', 'al'], [id])).toEqual([])
    expect(await find(['users'], [])).toEqual([])
    expect((await find(['users'], [id, other.id])).map((item) => item.id)).toEqual([id, other.id].toSorted())
    expect((await find(['users'], [other.id, id])).map((item) => item.id)).toEqual([id, other.id].toSorted())
    const many = Array.from({ length: 101 }, (_, n) => `${n}`)
    await expect(find(['users'], many)).rejects.toMatchObject({ code: 'input_invalid' })
  })

  test('a batch does all of its operations, in order', async () => {
    const at = freshTenant(subject)
    await at.put(['a'], 'old')
    const namespace = ['a']
    const results = await subject().batch({
      tenant: at.tenant,
      operations: [
        { op: 'put', namespace, key: 'new', value: { n: 1 } },
        { op: 'get', namespace, key: 'new' },
        { op: 'put', namespace, key: 'new', value: { n: 2 }, expectedVersion: 0 },
        { op: 'delete', namespace, key: 'old' },
        { op: 'delete', namespace, key: 'old' },
        { op: 'get', namespace, key: 'old' },
      ],
    })
    expect(results).toMatchObject([
      { op: 'put', outcome: 'saved', version: 1 },
      { op: 'get', item: { value: { n: 1 } } },
      { op: 'put', outcome: 'outdated', version: 1 },
      { op: 'delete', deleted: true },
      { op: 'delete', deleted: false },
      { op: 'get' },
    ])
    expect(results[5]).toEqual({ op: 'get', item: undefined })
    expect(await subject().batch({ tenant: at.tenant, operations: [] })).toEqual([])
  })

  test('a strict batch does nothing when a version does not fit', async () => {
    const at = freshTenant(subject)
    const namespace = ['a']
    await at.put(namespace, 'old', { n: 1 })
    const put = (expectedVersion: number) =>
      ({ op: 'put', namespace, key: 'old', value: { n: 2 }, expectedVersion }) as const
    const made = { op: 'put', namespace, key: 'new', value: { n: 1 }, expectedVersion: 0 } as const
    const strict = (...operations: ItemOperation[]) => subject().batch({ tenant: at.tenant, operations, strict: true })
    expect(await strict(made, put(0))).toEqual([])
    expect(await strict(made, { op: 'delete', namespace, key: 'old', expectedVersion: 2 })).toEqual([])
    expect(await at.keys([])).toEqual(['old'])
    expect(await strict(made, put(1))).toMatchObject([{ version: 1 }, { outcome: 'saved', version: 2 }])
    expect(await strict(made, put(2))).toEqual([])
    expect(await strict({ op: 'delete', namespace, key: 'new', expectedVersion: 1 }, put(2))).toHaveLength(2)
    expect(await at.keys([])).toEqual(['old'])
  })

  test('a batch with anything wrong in it does nothing', async () => {
    const at = freshTenant(subject)
    const put = (key: string): ItemOperation => ({ op: 'put', namespace: ['a'], key, value: {} })
    await expect(subject().batch({ tenant: at.tenant, operations: [put('a'), put('')] })).rejects.toMatchObject({
      code: 'id_invalid',
    })
    const many = Array.from({ length: 101 }, (_, index) => put(`${index}`))
    await expect(subject().batch({ tenant: at.tenant, operations: many })).rejects.toMatchObject({
      code: 'input_invalid',
    })
    expect(await at.keys([])).toEqual([])
  })

  test.each([
    [undefined, 'must be an array'],
    [null, 'must be an array'],
    ['get', 'must be an array'],
    [{ op: 'get', namespace: ['a'], key: 'k' }, 'must be an array'],
    [{ length: 1 }, 'must be an array'],
    [[null], 'Operation 0'],
    [
      [
        { op: 'get', namespace: ['a'], key: 'k' },
        { namespace: ['a'], key: 'k' },
      ],
      'Operation 1',
    ],
    [[{ op: 'drop', namespace: ['a'], key: 'k' }], 'put, get or delete'],
    [[{ op: ['get'], namespace: ['a'], key: 'k' }], 'put, get or delete'],
  ])('operations that are none are refused, and nothing is done (%#)', async (given, message) => {
    const at = freshTenant(subject)
    await at.put(['a'], 'k')
    const operations = given as ItemOperation[]
    await expect(subject().batch({ tenant: at.tenant, operations })).rejects.toMatchObject({
      ...{ code: 'input_invalid', message: expect.stringContaining(message) },
    })
    expect(await at.keys([])).toEqual(['k'])
  })

  test('of 100 writers on one key each writes a version of its own', async () => {
    const at = freshTenant(subject)
    const puts = await Promise.all(Array.from({ length: 100 }, (_, n) => at.put(['a'], 'k', { n })))
    const versions = puts.map(({ version }) => version)
    expect(versions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
    const last = puts.findIndex(({ version }) => version === 100)
    expect(await at.get(['a'], 'k')).toMatchObject({ version: 100, value: { n: last } })
  })

  test('nothing is written before what it waits for, and nothing when that fails', async () => {
    const at = freshTenant(subject)
    const claim = Promise.withResolvers<object>()
    const put = at.put(['a'], 'k', {}, { after: claim.promise })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await at.get(['a'], 'k')).toBeUndefined()
    claim.resolve({})
    await put
    expect(await at.get(['a'], 'k')).toBeDefined()
    const lost = at.put(['a'], 'other', {}, { after: Promise.reject(new Error('lost')) })
    await expect(lost).rejects.toThrow('lost')
    expect(await at.get(['a'], 'other')).toBeUndefined()
  })
}
