// What the rules of a guarded store let through, and that nothing of what they do not is written.
import { expect, test } from 'vitest'
import { memoryStore } from '../../src/adapters/memory/index.ts'
import { guardedStore, type WriteRule } from '../../src/index.ts'

const tenant = 'acme'
const forbidden = expect.objectContaining({ code: 'item_forbidden', status: 403, retryable: false })

function house(...rules: WriteRule[]) {
  const store = memoryStore()
  return { store, guarded: guardedStore(store, rules) }
}

const put = (namespace: readonly string[], key = 'k', tags: readonly string[] = []) => ({
  ...{ tenant, namespace, key, tags },
  value: { text: 'x' },
})

test('a rule is for what lies at or below its namespace, by whole segments', async () => {
  const { guarded } = house({ namespace: ['team', 'a'], write: false })
  for (const namespace of [
    ['team', 'a'],
    ['team', 'a', 'b'],
  ])
    await expect(guarded.put(put(namespace))).rejects.toEqual(forbidden)
  for (const namespace of [['team'], ['team', 'ab'], ['a'], ['users', 'team', 'a']]) {
    expect((await guarded.put(put(namespace))).outcome).toBe('saved')
  }
})

test('a rule sees what is to be written; where several apply, all must allow it', async () => {
  const { guarded, store } = house(
    { namespace: ['team'], write: (write) => write.op === 'put' && write.tags?.includes('good') === true },
    { namespace: ['team', 'a'], write: ({ key }) => key !== 'no' },
  )
  await guarded.put(put(['team', 'a'], 'yes', ['good']))
  await expect(guarded.put(put(['team', 'a'], 'no', ['good']))).rejects.toEqual(forbidden)
  await expect(guarded.put(put(['team', 'a'], 'yes', ['bad']))).rejects.toEqual(forbidden)
  await expect(guarded.delete({ tenant, namespace: ['team', 'a'], key: 'yes' })).rejects.toEqual(forbidden)
  expect((await store.search({ tenant, prefix: [] })).items.map(({ key, tags }) => [key, tags])).toEqual([
    ['yes', ['good']],
  ])
})

test('a rule for ["users", "{user}"] is refused: nothing is filled in there, and it would guard nobody', () => {
  expect(() => guardedStore(memoryStore(), [{ namespace: ['users', '{user}'], write: false }])).toThrow('{user}')
})

test('a rule that answers with a promise allows nothing: it is asked at once', async () => {
  const later = async () => true
  const { guarded } = house({ namespace: ['team'], write: later as never })
  await expect(guarded.put(put(['team']))).rejects.toEqual(forbidden)
})

test('of a batch with one write that is not allowed nothing is written', async () => {
  const { guarded, store } = house({ namespace: ['closed'], write: false })
  const operations = [['open'], ['closed']].map((namespace) => {
    const { tenant: _, ...rest } = put(namespace)
    return { op: 'put', ...rest } as const
  })
  await expect(guarded.batch({ tenant, operations })).rejects.toEqual(forbidden)
  expect((await store.search({ tenant, prefix: [] })).items).toEqual([])
  await guarded.batch({ tenant, operations: operations.slice(0, 1) })
  const reads = [
    { op: 'get', namespace: ['closed'], key: 'k' } as const,
    { op: 'get', namespace: ['open'], key: 'k' } as const,
  ]
  expect(await guarded.batch({ tenant, operations: reads })).toMatchObject([
    { item: undefined },
    { item: { key: 'k' } },
  ])
})

test('reading is as before', async () => {
  const { guarded, store } = house({ namespace: ['team'], write: false })
  const { id } = await store.put(put(['team']))
  const address = { tenant, namespace: ['team'], key: 'k' }
  expect((await guarded.get(address))?.id).toBe(id)
  expect(await guarded.history(address)).toHaveLength(1)
  expect(await guarded.find({ tenant, prefix: [], ids: [id] })).toHaveLength(1)
  expect((await guarded.search({ tenant, prefix: ['team'] })).items).toHaveLength(1)
  expect(await guarded.listNamespaces({ tenant })).toEqual([['team']])
  expect(await guarded.expire(10)).toBe(0)
  expect(guarded.deliver).toBe(store.deliver)
})

test('what is no address, and a rule for none, are refused as everywhere', async () => {
  const { guarded } = house({ namespace: ['team'], write: false })
  await expect(guarded.put(put('team' as never))).rejects.toMatchObject({ code: 'id_invalid' })
  expect(() => house({ namespace: [], write: false })).toThrow(expect.objectContaining({ code: 'id_invalid' }))
})
