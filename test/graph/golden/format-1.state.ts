// What the stored texts of format 1 beside this file mean, checkpoint by checkpoint. Written once: what was released must load for ever.
import type { Position } from '../../../src/graph/checkpoint.ts'

const first = { id: 'r1:0.1', role: 'user', content: 'Hi' }
const second = { id: 'r1:1:0:1.1', role: 'assistant', content: 'Hello \u0000 \ud83d 😀 "quoted" \\', toolCalls: [] }
const third = { id: 'r1:2:0:1.1', role: 'tool', toolCallId: 'c1', name: 'look', content: 'ok', status: 'success' }

const odd = {
  date: new Date('2026-01-02T03:04:05.678Z'),
  noDate: new Date(Number.NaN),
  map: new Map<unknown, unknown>([
    ['a', new Set([1, undefined])],
    [{ key: 1 }, 12345678901234567890n],
  ]),
  bytes: new Uint8Array([0, 127, 255]),
  numbers: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0],
  nothing: undefined,
  tagged: { $: ['Date', 0] },
  ...JSON.parse('{"proto":{"__proto__":{"a":1},"constructor":2}}'),
}

export const positions: readonly Position[] = [
  { values: { messages: [first] }, due: [{ node: 'model' }], arrived: {} },
  {
    values: { messages: [first, second], count: 1 },
    due: [
      { node: 'tools', input: { item: new Date(0), list: [1, { deep: [null, true] }] } },
      { node: 'tools', input: {} },
      { node: 'left' },
    ],
    arrived: {},
  },
  {
    values: { messages: [first, second, third], count: -0, odd },
    due: [{ node: 'right' }],
    arrived: { join: ['left', 'other'], 'another join': ['x'] },
  },
  // An early message edited, one removed, two turned round, one new in the middle.
  {
    values: { messages: [{ ...first, content: 'Hi!' }, third, { ...first, id: 'new' }, second], count: undefined, odd },
    due: [],
    arrived: {},
  },
  // A list that becomes none, and a value that becomes a list.
  { values: { messages: 'gone', count: [1, [2, 3], [[4]]], odd }, due: [], arrived: {} },
  { values: { messages: 'gone', count: [[2, 3], [[4]], 1, 1], odd: [] }, due: [], arrived: {} },
]
