// Stored texts of every released format load to the state beside them, for ever. A new format adds files; it never edits these.
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import {
  deltaText,
  emptyPosition,
  formatVersion,
  type Position,
  parseDelta,
  parseSnapshot,
  snapshotText,
} from '../../src/graph/checkpoint.ts'
import { applyDelta, difference } from '../../src/graph/delta.ts'
import { encode } from '../../src/kernel/json.ts'
import { positions as format1 } from './golden/format-1.state.ts'

const texts = (name: string): readonly string[] =>
  JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8'))

function expectSame(loaded: Position, written: Position | undefined): void {
  // An invalid Date is not equal to itself; its text is.
  expect(encode(loaded)).toBe(encode(written))
  const { odd: _, ...values } = loaded.values
  const { odd: __, ...expected } = written?.values ?? {}
  expect(isDeepStrictEqual(values, expected)).toBe(true)
}

test('deltas of format 1 lead from state to state', () => {
  let position = emptyPosition
  for (const [index, text] of texts('format-1.deltas').entries()) {
    position = applyDelta(position, parseDelta(text))
    expectSame(position, format1[index])
  }
  expect(texts('format-1.deltas')).toHaveLength(format1.length)
})

test('snapshots of format 1 are their states', () => {
  for (const [index, text] of texts('format-1.snapshots').entries()) expectSame(parseSnapshot(text), format1[index])
  expect(texts('format-1.snapshots')).toHaveLength(format1.length)
})

test('odd values of format 1 come back in kind', () => {
  const odd = parseSnapshot(texts('format-1.snapshots')[2] ?? '').values.odd as Record<string, unknown>
  expect(odd.date).toStrictEqual(new Date('2026-01-02T03:04:05.678Z'))
  expect(Number.isNaN((odd.noDate as Date).getTime())).toBe(true)
  expect((odd.map as Map<unknown, unknown>).get('a')).toStrictEqual(new Set([1, undefined]))
  expect([...(odd.map as Map<unknown, unknown>).values()][1]).toBe(12345678901234567890n)
  expect(odd.bytes).toStrictEqual(new Uint8Array([0, 127, 255]))
  expect(odd.numbers).toStrictEqual([Number.NaN, Infinity, -Infinity, -0])
  expect(Object.hasOwn(odd, 'nothing')).toBe(true)
  expect(odd.tagged).toStrictEqual({ $: ['Date', 0] })
  expect(Object.keys(odd.proto as object)).toEqual(['__proto__', 'constructor'])
})

test('what is written today is written as format 1 was, byte for byte: whoever changes that raises the format', () => {
  expect(formatVersion).toBe(1)
  let before = emptyPosition
  const written = format1.map((position) => {
    const text = deltaText(difference(before, position))
    before = position
    return text
  })
  expect(written).toEqual(texts('format-1.deltas'))
  expect(format1.map(snapshotText)).toEqual(texts('format-1.snapshots'))
})

test.each([
  ['a newer format', '{"v":2,"c":{}}', /has format 2; this version reads up to 1.*a newer one/],
  ['no format', '{"c":{}}', /has format none|has format undefined/],
  ['neither delta nor state', '{"v":1}', /has no delta/],
  ['no object', '[]', /format none/],
  ['no JSON', 'x', /not JSON/],
])('a stored text of %s is refused with the reason', (_, text, message) => {
  const refused = expect.objectContaining({ code: 'checkpoint_unreadable', message: expect.stringMatching(message) })
  expect(() => parseDelta(text)).toThrow(refused)
})

test('a delta is not taken for a snapshot, nor the other way', () => {
  const unreadable = expect.objectContaining({ code: 'checkpoint_unreadable' })
  expect(() => parseSnapshot(texts('format-1.deltas')[0] ?? '')).toThrow(unreadable)
  expect(() => parseDelta(texts('format-1.snapshots')[0] ?? '')).toThrow(unreadable)
})
