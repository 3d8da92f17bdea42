// Namespaces: which are taken, that no two share a path, and what lies below which.
import { expect, test } from 'vitest'
import { itemId } from '../../src/kernel/item.ts'
import {
  assertItemKey,
  assertNamespace,
  assertNamespacePrefix,
  compareText,
  isWithin,
  namespaceOf,
  pathOf,
  pathRange,
} from '../../src/kernel/namespace.ts'
import { seeded } from './random.ts'

const odd = [
  'a',
  'A',
  'b',
  '.',
  '..',
  ':',
  '/',
  '\\',
  '%',
  '_',
  '*',
  ' ',
  '"',
  ',',
  '1',
  '😀',
  '\u{10ffff}',
  'é',
  'e\u0301',
]

test('100,000 distinct namespaces have distinct paths, and come back from them', () => {
  const { int: pick } = seeded(5)
  const segment = () => Array.from({ length: 1 + pick(4) }, () => odd[pick(odd.length)]).join('')
  const paths = new Map<string, string>()
  while (paths.size < 100_000) {
    const namespace = Array.from({ length: 1 + pick(4) }, segment)
    const path = pathOf(namespace)
    const name = JSON.stringify(namespace)
    if ((paths.get(path) ?? name) !== name) expect.unreachable(`${name} and ${paths.get(path)} share a path`)
    if (JSON.stringify(namespaceOf(path)) !== name) expect.unreachable(`${name} does not come back`)
    paths.set(path, name)
  }
  expect(new Set(paths.values()).size).toBe(100_000)
})

test('100,000 distinct pairs of namespace and key have distinct ids', () => {
  const { int: pick } = seeded(7)
  const segment = () => Array.from({ length: 1 + pick(3) }, () => odd[pick(odd.length)]).join('')
  const ids = new Map<string, string>()
  while (ids.size < 100_000) {
    const namespace = Array.from({ length: 1 + pick(4) }, segment)
    const key = segment()
    const name = JSON.stringify([namespace, key])
    const id = itemId(namespace, key)
    if ((ids.get(id) ?? name) !== name) expect.unreachable(`${name} and ${ids.get(id)} share an id`)
    ids.set(id, name)
  }
  expect(new Set(ids.values()).size).toBe(100_000)
})

test('a range of paths holds exactly what lies within the prefix', () => {
  const { int: pick } = seeded(6)
  const segment = () => Array.from({ length: 1 + pick(2) }, () => odd[pick(odd.length)]).join('')
  const tuple = (atLeast: number) => Array.from({ length: atLeast + pick(3) }, segment)
  let within = 0
  for (let time = 0; time < 50_000; time++) {
    const prefix = tuple(0)
    const namespace = pick(2) === 0 ? [...prefix, ...tuple(1)] : tuple(1)
    const path = pathOf(namespace)
    const { from, before } = pathRange(prefix)
    const inRange = compareText(path, from) >= 0 && compareText(path, before) < 0
    if (inRange !== isWithin(namespace, prefix)) expect.unreachable(JSON.stringify([namespace, prefix]))
    if (inRange) within++
  }
  expect(within).toBeGreaterThan(20_000)
})

test('a sibling whose name begins alike is not within', () => {
  expect(isWithin(['users', '12'], ['users', '1'])).toBe(false)
  expect(isWithin(['users', '1', 'notes'], ['users', '1'])).toBe(true)
  expect(isWithin(['users'], ['users', '1'])).toBe(false)
  expect(pathOf(['a', 'b'])).not.toBe(pathOf(['a.b']))
})

const longest = Array.from({ length: 16 }, () => 'x'.repeat(32))

test.each([[['users']], [longest], [['..', '../reset?all', '%', '*', 'A:b/c', '😀', ' ']]])(
  'a namespace is taken as it is: %j',
  (namespace) => {
    expect(() => assertNamespace(namespace)).not.toThrow()
  },
)

const refused: readonly unknown[] = [
  ...[undefined, null, 'users', 1, {}, [], [''], ['a', ''], [1], [null], [['a']], [{ toString: () => 'a' }]],
  ...[
    [...longest, 'x'],
    [...longest.slice(1), 'x'.repeat(33)],
    ['x'.repeat(257)],
    ['x'.repeat(10_000)],
    ['a\u0000'],
    ['a\u001fb'],
    ['a\n'],
    ['\ud83d'],
    ['\u0085'],
  ],
  Array.from({ length: 2 }, (_, index) => (index === 0 ? undefined : 'a')),
  Object.assign(['a'], { length: 2 }),
]

test.each(refused.map((namespace) => [namespace]))('a namespace is refused: %j', (namespace) => {
  expect(() => assertNamespace(namespace)).toThrow(expect.objectContaining({ code: 'id_invalid' }))
})

test('an empty prefix is all of a tenant, and no namespace', () => {
  expect(() => assertNamespacePrefix([])).not.toThrow()
  expect(() => assertNamespacePrefix([''])).toThrow()
})

test.each([[''], ['x'.repeat(257)], ['a\u0000'], [1], [{}], [['a']], [null]])('an item key is refused: %j', (key) => {
  expect(() => assertItemKey(key)).toThrow(expect.objectContaining({ code: 'id_invalid' }))
})
