// The contract on filters: every adapter means by them what the kernel means.
import { describe, expect, test } from 'vitest'
import { type Filter, matches, parseFilter, type Scalar } from '../../../src/kernel/filter.ts'
import { seeded } from '../../kernel/random.ts'
import { freshTenant, type Subject } from './subject.ts'

const values: readonly Record<string, unknown>[] = [
  { n: 1, s: 'b', list: [1, 'two', null, true], deep: { a: { b: 'x' } } },
  { n: 2, s: 'B', list: [], none: null },
  { n: -1.5, s: '😀', list: [[1], { two: 1 }], on: true },
  { n: '1', s: '\uffff', on: false, deep: null },
  { s: '', n: null, list: 'two', deep: [{ a: { b: 'x' } }] },
  { n: 1e15, s: "it's \\ %_*", constructor: 'own', zero: 0 },
  {},
]

const fields = [
  'n',
  's',
  'list',
  'none',
  'on',
  'deep',
  'deep.a',
  'deep.a.b',
  'zero',
  'missing',
  'constructor',
  '__proto__',
].map((name) => `value.${name}`)
const scalars: readonly [Scalar, ...Scalar[]] = [
  1,
  2,
  -1.5,
  0,
  1e15,
  '1',
  'b',
  'B',
  'x',
  '',
  'two',
  '😀',
  '\uffff',
  "it's \\ %_*",
  'own',
  null,
  true,
  false,
]

export function filters(subject: Subject) {
  test('500 random filters mean what the kernel means by them', async () => {
    const at = freshTenant(subject)
    for (const [index, value] of values.entries()) {
      await at.put(['a'], `k${index}`, value, {
        tags: [`t${index % 2}`, 'all'],
        ...(index > 2 && { source: `s${index}` }),
      })
    }
    const { items } = await at.search(['a'], { limit: 100 })
    const documents = items.map(({ createdAt, updatedAt, ...item }) => ({
      ...item,
      created: createdAt,
      updated: updatedAt,
    }))
    const random = seeded(7)
    const field = () =>
      random.chance(0.2) ? random.pick(['tags', 'source', 'author', 'key']) : random.pick(fields as [string])
    const scalar = () => (random.chance(0.1) ? random.pick(['t1', 'all', 's4', 'k3']) : random.pick(scalars))
    const condition = (): Filter => {
      const op = random.pick(['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'nin', 'exists', 'contains'])
      const value = op === 'exists' ? random.chance(0.5) : op === 'in' || op === 'nin' ? [scalar(), scalar()] : scalar()
      const bound = ['gt', 'gte', 'lt', 'lte'].includes(op) && typeof value !== 'string' ? Number(value) : value
      return parseFilter({ op, field: field(), value: bound })
    }
    const filter = (depth: number): Filter => {
      if (depth === 0 || random.chance(0.4)) return condition()
      if (random.chance(0.3)) return { op: 'not', filter: filter(depth - 1) }
      return { op: random.pick(['and', 'or']), filters: Array.from({ length: random.int(4) }, () => filter(depth - 1)) }
    }
    for (let time = 0; time < 500; time++) {
      const wanted = filter(3)
      const expected = documents.filter((document) => matches(wanted, document)).map(({ key }) => key)
      const found = await at.keys(['a'], { filter: wanted, limit: 100, refresh: false })
      if (found.toSorted().join() !== expected.toSorted().join()) {
        expect.unreachable(`${JSON.stringify(wanted)} found ${found} and not ${expected}`)
      }
    }
  }, 120_000)

  describe('500 payloads that are no filter', () => {
    const payloads = injections()

    /** The first of each 25 is there; the others find nothing. */
    const findsItself = async (at: ReturnType<typeof freshTenant>, payload: string, index: number) => {
      const filters: readonly Filter[] = [
        { op: 'eq', field: 'value.v', value: payload },
        { op: 'contains', field: 'value.list', value: payload },
        { op: 'in', field: 'value.v', value: [payload] },
      ]
      for (const filter of index === 0 ? filters : filters.slice(index % 3, (index % 3) + 1)) {
        expect(await at.keys(['a'], { filter, refresh: false }), payload).toEqual(index === 0 ? ['one'] : [])
      }
    }

    test('as a value, each finds itself and nothing else', async () => {
      const at = freshTenant(subject)
      await at.put(['a'], 'neighbour', { text: 'untouched', v: 'safe' })
      for (let first = 0; first < payloads.length; first += 25) {
        const some = payloads.slice(first, first + 25)
        const [v = ''] = some
        await at.put(['a'], 'one', { v, list: [v] }, { tags: ['x'] })
        await Promise.all(some.map((payload, index) => findsItself(at, payload, index)))
        await at.keys(['a'], { filter: { op: 'gt', field: 'value.v', value: some[1] ?? '' } })
      }
      expect(await at.get(['a'], 'neighbour')).toMatchObject({ value: { v: 'safe' } })
    }, 120_000)

    test('as an operator or a field, each is refused', () => {
      for (const payload of payloads) {
        const wrong = [
          { op: payload, field: 'key', value: 1 },
          { op: 'eq', field: payload, value: 1 },
          { op: 'eq', field: `value.${payload}`, value: 1 },
          { [payload]: 1 },
        ]
        for (const filter of wrong)
          expect(() => parseFilter(filter)).toThrow(expect.objectContaining({ code: 'input_invalid' }))
      }
    })
  })
}

function injections(): readonly string[] {
  const breaks = [
    "'",
    '"',
    '\\',
    "''",
    '")',
    "')",
    '`',
    '$$',
    '/*',
    '--',
    ';',
    '\\"',
    "\\'",
    '$1',
    '::text',
    '{',
    '}',
    '[',
    '%',
    '\u2028',
  ]
  const attacks = [
    ' or true',
    ' OR 1=1 --',
    '; drop table recollect.items; --',
    ') union select * from recollect.items --',
    ' HAS FIELD tenant',
    ' GLOB "*"',
    '" or true or ("',
    '$ne',
    '{"$gt":""}',
    '__proto__',
    ' || pg_sleep(9)',
    '../reset?all',
    ' AND tenant != ""',
    '@> {}',
    ' IN (select 1)',
    '\\x27 or 1=1',
    '%27%20or%201=1',
    '*',
    '_%',
    '#{7*7}',
    '{{7*7}}',
    '{"op":"not"}',
    '\r\nDELETE',
    '] || true || [',
    '?>"',
  ]
  return breaks.flatMap((mark) => attacks.map((attack) => mark + attack))
}
