// The contract on namespaces: which there are, and that none is taken for another.
import { expect, test } from 'vitest'
import { forSeeds } from '../../kernel/random.ts'
import { freshTenant, type Subject } from './subject.ts'

const alike: readonly (readonly string[])[] = [
  ['a', 'b'],
  ['a.b'],
  ['a:b'],
  ['a/b'],
  ['a,b'],
  ['a b'],
  ['A', 'b'],
  ['a', 'B'],
  ['ab'],
  ['a', 'b', 'c'],
  ['a', '*'],
  ['a', '%'],
  ['a', '_'],
  ['a', '\\'],
  ['a', '"'],
  ['a', "'"],
  ['a', '..'],
  ['..', '../reset?all'],
  ['a', '%2e%2e'],
  ['a', '\u00e9'],
  ['a', 'e\u0301'],
  ['a', '\u0430'],
  ['a', '1'],
  ['a', '12'],
  ['a', ' 1'],
  ['a', '{b}'],
  ['a', 'NULL'],
  ['__proto__', 'constructor'],
  ['a', '😀'],
  ['a', '\u{10ffff}'],
  ['\u{10ffff}'.repeat(64)],
]

export function namespaces(subject: Subject) {
  test('namespaces that look alike are apart', async () => {
    const at = freshTenant(subject)
    await at.putAll(alike.map((namespace, index) => ({ namespace, key: 'k', value: { index, text: 'canary' } })))
    for (const [index, namespace] of alike.entries()) {
      expect((await at.get(namespace, 'k'))?.value.index).toBe(index)
      const below = alike.filter((other) => namespace.every((segment, place) => other[place] === segment)).length
      expect(await at.keys(namespace, { limit: 100 })).toHaveLength(below)
      expect(await at.keys(namespace, { limit: 100, query: 'canary' })).toHaveLength(below)
    }
    expect(await subject().listNamespaces({ tenant: at.tenant })).toHaveLength(alike.length)
    expect(await at.keys([], { limit: 100 })).toHaveLength(alike.length)
    await at.delete(['a', 'b'], 'k')
    expect(await at.keys([], { limit: 100 })).toHaveLength(alike.length - 1)
  })

  test('they are listed once each, by prefix, by suffix, to a depth, page by page', async () => {
    const at = freshTenant(subject)
    const put = (...namespace: string[]) => at.put(namespace, 'k')
    await put('users', 'alex', 'notes')
    await put('users', 'alex', 'facts')
    await at.put(['users', 'alex', 'facts'], 'k2')
    await put('users', 'bob', 'facts')
    await put('team')
    const list = (more: object = {}) => subject().listNamespaces({ tenant: at.tenant, ...more })
    const all = [['team'], ['users', 'alex', 'facts'], ['users', 'alex', 'notes'], ['users', 'bob', 'facts']]
    expect(await list()).toEqual(all)
    expect(await list({ prefix: ['users', 'alex'] })).toEqual(all.slice(1, 3))
    expect(await list({ prefix: ['users', 'al'] })).toEqual([])
    expect(await list({ suffix: ['facts'] })).toEqual([all[1], all[3]])
    expect(await list({ suffix: ['alex', 'facts'] })).toEqual([all[1]])
    expect(await list({ suffix: ['cts'] })).toEqual([])
    expect(await list({ prefix: ['users', '*', 'facts'] })).toEqual([all[1], all[3]])
    expect(await list({ prefix: ['*'] })).toEqual(all)
    expect(await list({ prefix: ['*', 'alex'], suffix: ['*', 'notes'] })).toEqual([all[2]])
    expect(await list({ prefix: ['users', 'alex'], suffix: ['users', '*', '*'] })).toEqual(all.slice(1, 3))
    expect(await list({ suffix: ['*', '*', '*', '*'] })).toEqual([])
    expect(await list({ maxDepth: 2 })).toEqual([['team'], ['users', 'alex'], ['users', 'bob']])
    expect(await list({ maxDepth: 1, offset: 1 })).toEqual([['users']])
    expect(await list({ limit: 2, offset: 1 })).toEqual(all.slice(1, 3))
  })

  test('of 200 random searches each finds what its segments say, `*` any one of them', async () => {
    const at = freshTenant(subject)
    const names = [
      'a',
      'b',
      '*',
      '.',
      '.*',
      '[ab]',
      '(a)',
      'a|b',
      '^a$',
      '\\',
      '{2}',
      'a+',
      '?',
      '\u2028',
      '🙂',
      'A',
    ] as const
    const all: string[][] = []
    forSeeds(60, (random) => {
      all.push(Array.from({ length: 1 + random.int(4) }, () => random.pick(names)))
    })
    for (const namespace of all) await at.put(namespace, 'k')
    const matches = (pattern: readonly string[], segments: readonly string[]) =>
      pattern.length <= segments.length && pattern.every((name, index) => name === '*' || name === segments[index])
    const searches: { prefix: string[]; suffix: string[] }[] = []
    forSeeds(200, (random) => {
      const some = (of: readonly string[]) => of.map((name) => (random.chance(0.4) ? '*' : name))
      const near = random.pick([all[random.int(60)] ?? [], []])
      searches.push({ prefix: some(near.slice(0, random.int(4))), suffix: some(near.slice(random.int(4))) })
    })
    for (const { prefix, suffix } of searches) {
      const found = await subject().listNamespaces({ tenant: at.tenant, prefix, suffix, limit: 1_000 })
      const wanted = all.filter(
        (segments) => matches(prefix, segments) && matches(suffix.toReversed(), segments.toReversed()),
      )
      const texts = (list: readonly (readonly string[])[]) =>
        [...new Set(list.map((one) => JSON.stringify(one)))].sort()
      expect(texts(found), JSON.stringify({ prefix, suffix })).toEqual(texts(wanted))
    }
  })

  const wrong: readonly unknown[] = [
    ...[undefined, null, 'users', 7, {}, [''], ['a', ''], [1], [null], [['a']], ['a\u0000'], ['a\u001fb'], ['\ud83d']],
    ...[['x'.repeat(10_000)], Array.from({ length: 17 }, () => 'a'), { 0: 'a', length: 1 }, [{ toString: 'a' }]],
  ]
  test.each(wrong.map((namespace) => [namespace]))('what is no namespace is refused everywhere (%#)', async (given) => {
    const refused = { code: 'id_invalid' }
    const { tenant } = freshTenant(subject)
    const namespace = given as string[]
    await expect(subject().put({ tenant, namespace, key: 'k', value: {} })).rejects.toMatchObject(refused)
    await expect(subject().get({ tenant, namespace, key: 'k' })).rejects.toMatchObject(refused)
    await expect(subject().delete({ tenant, namespace, key: 'k' })).rejects.toMatchObject(refused)
    await expect(subject().search({ tenant, prefix: namespace })).rejects.toMatchObject(refused)
    await expect(subject().find({ tenant, prefix: namespace, ids: [] })).rejects.toMatchObject(refused)
    await expect(subject().history({ tenant, namespace, key: 'k' })).rejects.toMatchObject(refused)
    if (given !== undefined)
      await expect(subject().listNamespaces({ tenant, prefix: namespace })).rejects.toMatchObject(refused)
    const operations = [{ op: 'get', namespace, key: 'k' } as const]
    await expect(subject().batch({ tenant, operations })).rejects.toMatchObject(refused)
  })

  test('an empty namespace is refused for an item', async () => {
    await expect(freshTenant(subject).put([], 'k')).rejects.toMatchObject({ code: 'id_invalid' })
  })
}
