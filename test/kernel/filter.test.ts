// Filters: what they mean, and that nothing but a filter is taken for one.
import { describe, expect, test } from 'vitest'
import { type Filter, type FilterDocument, filterValue, matches, parseFilter } from '../../src/kernel/filter.ts'

const document: FilterDocument = {
  ...{ key: 'k', source: 'chat', author: null, tags: ['pricing', 'eu'] },
  ...{ created: '2026-01-02T03:04:05.678Z', updated: '2026-02-02T00:00:00.000Z' },
  value: {
    color: 'red',
    size: { width: 3 },
    list: [1, 'two', null],
    none: null,
    on: false,
    text: 'about pricing',
    zero: 0,
  },
}

const met: readonly [Filter, boolean][] = [
  [{ op: 'eq', field: 'value.color', value: 'red' }, true],
  [{ op: 'eq', field: 'value.color', value: 'Red' }, false],
  [{ op: 'eq', field: 'value.size.width', value: 3 }, true],
  [{ op: 'eq', field: 'value.size.width', value: '3' }, false],
  [{ op: 'eq', field: 'value.none', value: null }, true],
  [{ op: 'eq', field: 'value.missing', value: null }, false],
  [{ op: 'eq', field: 'value.list', value: 'two' }, false],
  [{ op: 'eq', field: 'value.zero', value: false }, false],
  [{ op: 'eq', field: 'source', value: 'chat' }, true],
  [{ op: 'eq', field: 'author', value: null }, false],
  [{ op: 'ne', field: 'value.color', value: 'red' }, false],
  [{ op: 'ne', field: 'value.missing', value: 'red' }, true],
  [{ op: 'gt', field: 'value.size.width', value: 2 }, true],
  [{ op: 'gt', field: 'value.size.width', value: 3 }, false],
  [{ op: 'gte', field: 'value.size.width', value: 3 }, true],
  [{ op: 'lt', field: 'value.color', value: 'rot' }, true],
  [{ op: 'lt', field: 'value.color', value: 5 }, false],
  [{ op: 'lte', field: 'value.missing', value: 5 }, false],
  [{ op: 'gt', field: 'value.on', value: -1 }, false],
  [{ op: 'in', field: 'value.color', value: ['blue', 'red'] }, true],
  [{ op: 'in', field: 'value.color', value: [] }, false],
  [{ op: 'in', field: 'value.list', value: [1] }, false],
  [{ op: 'nin', field: 'value.color', value: ['blue'] }, true],
  [{ op: 'nin', field: 'value.missing', value: [null] }, true],
  [{ op: 'exists', field: 'value.none', value: true }, true],
  [{ op: 'exists', field: 'value.missing', value: true }, false],
  [{ op: 'exists', field: 'value.color.red', value: false }, true],
  [{ op: 'exists', field: 'author', value: false }, true],
  [{ op: 'contains', field: 'tags', value: 'pricing' }, true],
  [{ op: 'contains', field: 'tags', value: 'pric' }, false],
  [{ op: 'contains', field: 'value.list', value: null }, true],
  [{ op: 'contains', field: 'value.text', value: 'pric' }, true],
  [{ op: 'contains', field: 'value.text', value: 3 }, false],
  [{ op: 'contains', field: 'value.size', value: 'width' }, false],
  [{ op: 'and', filters: [] }, true],
  [{ op: 'or', filters: [] }, false],
  [{ op: 'not', filter: { op: 'gt', field: 'value.missing', value: 1 } }, true],
]

test.each(met)('%j is %s', (filter, expected) => {
  expect(matches(parseFilter(filter), document)).toBe(expected)
})

test('times are compared as times, whatever they are written like', () => {
  const is = (op: string, value: unknown) => matches(parseFilter({ op, field: 'created', value }), document)
  for (const value of ['0000-01-01', '-000001-01-01T00:00:00Z', -1e14, 1e300, '+010000-01-01T00:00:00Z', '']) {
    expect(() => is('gt', value), `${value}`).toThrow(/years 1 to 9999/)
  }
  expect(is('gte', '2026-01-02')).toBe(true)
  expect(is('lt', '2026-01-02T04:04:05+01:00')).toBe(false)
  expect(is('lt', '2026-01-02T04:04:06+01:00')).toBe(true)
  expect(is('eq', Date.parse(document.created))).toBe(true)
  for (const value of ['yesterday', Number.NaN, {}, null, 1e20]) expect(() => is('gt', value)).toThrow(/time/)
  expect(() => is('contains', '2026')).toThrow(/gt/)
})

describe('what is no filter is refused, with the place', () => {
  const eq = { op: 'eq', field: 'key', value: 'k' }
  const deep = (levels: number): unknown => (levels === 0 ? eq : { op: 'not', filter: deep(levels - 1) })
  const wrong: readonly [unknown, RegExp][] = [
    [null, /must be an object/],
    [[eq], /must be an object/],
    [{}, /unknown operator/],
    [{ op: 'equals', field: 'key', value: 1 }, /unknown operator/],
    [{ op: 'gtt', field: 'key', value: 1 }, /did you mean "gt/],
    [{ op: '__proto__', field: 'key', value: 1 }, /unknown operator/],
    [{ op: ['eq'], field: 'key', value: 1 }, /unknown operator/],
    [{ op: 'and', field: 'key', value: 1 }, /does not take/],
    [{ op: 'and', filters: eq }, /array/],
    [{ op: 'and', filters: [eq, { op: 'or', filters: [1] }] }, /filter\.filters\.1\.filters\.0/],
    [{ ...eq, also: 1 }, /does not take/],
    [{ ...eq, field: 'color' }, /field/],
    [{ ...eq, field: 'value' }, /field/],
    [{ ...eq, field: 'value.0' }, /field/],
    [{ ...eq, field: 'value.a..b' }, /field/],
    [{ ...eq, field: `value${'.a'.repeat(9)}` }, /field/],
    [{ ...eq, value: { $ne: 1 } }, /value/],
    [{ ...eq, value: ['k'] }, /value/],
    [{ ...eq, value: 'x'.repeat(1_001) }, /value/],
    [{ op: 'gt', field: 'key', value: null }, /string or a number/],
    [{ op: 'in', field: 'key', value: 'k' }, /array/],
    [{ op: 'in', field: 'key', value: Array(101).fill(1) }, /array/],
    [{ op: 'exists', field: 'key', value: 'false' }, /true or false/],
    [{ op: 'or', filters: Array(101).fill(eq) }, /100 conditions/],
    [deep(9), /deeper/],
  ]
  test.each(wrong)('%j', (filter, message) => {
    expect(() => parseFilter(filter)).toThrow(expect.objectContaining({ code: 'input_invalid' }))
    expect(() => parseFilter(filter)).toThrow(message)
  })
})

test('a value that databases refuse is seen without what they refuse', () => {
  const json = JSON.stringify({ a: 'x\u0000\ud83dy', 'b\u0000': '\\u0000', c: '😀' })
  expect(JSON.parse(filterValue(json))).toEqual({ a: 'x\ufffd\ufffdy', 'b\ufffd': '\\u0000', c: '😀' })
})
