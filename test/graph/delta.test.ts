// Deltas: whatever a reducer made of a value, the delta leads from the old to the new, and costs what changed.
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  type Delta,
  deltaText,
  emptyPosition,
  type Position,
  parseDelta,
  parseSnapshot,
  snapshotText,
} from '../../src/graph/checkpoint.ts'
import { applyDelta, applyDeltas, difference } from '../../src/graph/delta.ts'
import { forSeeds, type Random, randomValue } from '../kernel/random.ts'

const at = (values: Record<string, unknown>): Position => ({ ...emptyPosition, values })

/** Through the stored text, as a load does it. */
function there(before: Position, after: Position): { position: Position; bytes: number } {
  const text = deltaText(difference(before, after))
  return { position: applyDelta(before, parseDelta(text)), bytes: text.length }
}

function expectRoundTrip(before: Position, after: Position): Position {
  const { position } = there(before, after)
  if (!isDeepStrictEqual(position, after)) expect(position).toEqual(after)
  expect(snapshotText(position)).toBe(snapshotText(after))
  return position
}

/** One edit, of the kinds that reducers make. */
function edited(list: readonly unknown[], random: Random): unknown[] {
  const index = random.int(list.length + 1)
  const copy = list[random.int(list.length)]
  switch (random.int(10)) {
    case 0:
    case 1:
      return [...list, randomValue(random, 2)]
    case 2:
      return list.length === 0 ? [] : list.with(index % list.length, randomValue(random, 2))
    case 3:
      return list.slice(index)
    case 4:
      return list.toSpliced(index, 1)
    case 5:
      return [...list, copy, copy]
    case 6:
      return list.toReversed()
    case 7:
      return list.toSpliced(index, 0, structuredClone(copy), randomValue(random, 1))
    case 8:
      return [...list.slice(index), ...list.slice(0, index)]
    default:
      return [randomValue(random, 1), ...list.filter(() => random.chance(0.8))]
  }
}

describe('a delta', () => {
  test('leads from any array to any edit of it, along 500 random histories', () => {
    forSeeds(500, (random) => {
      let position = emptyPosition
      for (let step = 0; step < 12; step++) {
        const old = position.values.list
        const list = Array.isArray(old) ? old : []
        position = expectRoundTrip(position, at({ ...position.values, list: edited(list, random) }))
      }
    })
  })

  test('leads to the same alone and among others, and changes none of them nor what was before, along 500 random histories', () => {
    forSeeds(500, (random) => {
      const start = at({ list: [1, [2]] })
      const deltas: Delta[] = []
      let position = start
      for (let step = 0; step < 12; step++) {
        const after = at({ list: edited(position.values.list as unknown[], random) })
        deltas.push(difference(position, after))
        position = after
      }
      const texts = deltas.map(deltaText)
      const together = applyDeltas(start, deltas)
      if (!isDeepStrictEqual(together, position)) expect(together).toEqual(position)
      expect(deltas.map(deltaText)).toEqual(texts)
      expect(start).toEqual(at({ list: [1, [2]] }))
    })
  })

  test('leads from any values to any others, also where a list becomes none or the other way', () => {
    forSeeds(500, (random) => {
      let position = emptyPosition
      for (let step = 0; step < 6; step++) {
        const name = random.pick(['a', 'b', 'constructor', 'c'])
        position = expectRoundTrip(position, at({ ...position.values, [name]: randomValue(random, 3) }))
      }
    })
  })

  test.each([
    ['0 after -0', [-0, 1], [1, 0]],
    ['-0 after 0', [0, 1], [1, -0]],
    ['NaN that moves', [Number.NaN, 1], [1, Number.NaN]],
    ['equal elements', [1, 1, 1, 2, 1], [1, 2, 1, 1]],
    ['arrays that look like segments', [[0, 1], [[2]]], [[[2]], [0, 1], [0, 1]]],
    ['undefined and null', [undefined, null], [null, undefined, null]],
    ['text and number', ['1', 1], [1, '1']],
    ['a tag and its like', [new Date(0), { $: ['Date', 0] }], [{ $: ['Date', 0] }, new Date(0)]],
    ['all gone', [1, 2, 3], []],
    ['the first', [], [[]]],
  ])('keeps %s', (_, was, is) => {
    expectRoundTrip(at({ list: was }), at({ list: is }))
  })

  test('of a list that is equal, element by element, is nothing', () => {
    const { channels } = difference(at({ list: [{ a: 1 }, 2] }), at({ list: [{ a: 1 }, 2] }))
    expect(channels).toEqual({})
  })

  test('of a value set to undefined is kept apart from none', () => {
    const { position } = there(emptyPosition, at({ a: undefined }))
    expect(Object.hasOwn(position.values, 'a')).toBe(true)
  })

  test('that continues an array that is not there says so', () => {
    const delta = difference(at({ list: [1] }), at({ list: [1, 2] }))
    expect(() => applyDelta(emptyPosition, delta)).toThrow(expect.objectContaining({ code: 'checkpoint_unreadable' }))
  })

  test('carries what is due and who has arrived, always anew', () => {
    const before: Position = { values: {}, due: [{ node: 'a' }], arrived: { join: ['a'] } }
    const after: Position = { values: {}, due: [{ node: 'b', input: { item: new Map([[1, -0]]) } }], arrived: {} }
    expectRoundTrip(before, after)
    expectRoundTrip(after, before)
    expect(parseSnapshot(snapshotText(after))).toEqual(after)
  })
})

describe('the bytes of 500 steps', () => {
  const message = (index: number, text = 'x'.repeat(200)) => ({ id: `m${index}`, role: 'user', content: text })
  const bytesOf = (edit: (list: readonly unknown[], step: number) => unknown[]) => {
    let position = at({ list: [] })
    let bytes = 0
    for (let step = 0; step < 500; step++) {
      const after = at({ list: edit(position.values.list as unknown[], step) })
      const next = there(position, after)
      bytes += next.bytes
      // Reloaded: what is equal is no longer identical.
      position = step % 2 === 0 ? next.position : after
    }
    return bytes
  }
  const content = 500 * JSON.stringify(message(100)).length

  test('are those of the new messages where each step appends one', () => {
    expect(bytesOf((list, step) => [...list, message(step)])).toBeLessThan(content * 1.2)
  })

  test('are twice those where each step also edits an early message', () => {
    const edit = (list: readonly unknown[], step: number) =>
      step < 3 ? [...list, message(step)] : [...list.with(1, message(1, `${step}`.padEnd(200))), message(step)]
    expect(bytesOf(edit)).toBeLessThan(content * 2.4)
  })

  test('are those of the new messages where a window of 50 moves on', () => {
    expect(bytesOf((list, step) => [...list, message(step)].slice(-50))).toBeLessThan(content * 1.2)
  })

  test('are few where the list is only turned round', () => {
    const grow = (list: readonly unknown[], step: number) =>
      step < 50 ? [...list, message(step)] : [list.at(-1), ...list.slice(0, -1)]
    expect(bytesOf(grow)).toBeLessThan(50 * 300 + 450 * 100)
  })
})
