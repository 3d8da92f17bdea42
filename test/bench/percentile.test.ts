// Percentiles of what was measured.
import { expect, test } from 'vitest'
import { percentile, percentiles } from '../../bench/percentile.ts'

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)

test('a percentile is a value that was measured and that its share does not exceed', () => {
  expect(percentile(hundred, 0.5)).toBe(50)
  expect(percentile(hundred, 0.95)).toBe(95)
  expect(percentile(hundred, 1)).toBe(100)
  expect(percentile(hundred, 0)).toBe(1)
  expect(percentile([3, 1], 0.5)).toBe(1)
  expect(percentile([3, 1], 0.51)).toBe(3)
  expect(percentile([7], 0.95)).toBe(7)
})

test('values are compared as numbers, and left in their order', () => {
  const values = [9, 100, 11]
  expect(percentile(values, 0.5)).toBe(11)
  expect(values).toEqual([9, 100, 11])
})

test('of nothing there is no percentile', () => {
  expect(() => percentile([], 0.5)).toThrow('Nothing was measured')
})

test('the median and the 95th have two decimals', () => {
  expect(percentiles([1.005, 2.126, 3])).toEqual({ p50: 2.13, p95: 3 })
})
