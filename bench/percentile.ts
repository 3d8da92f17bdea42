// Percentiles, the one way in which all measurements here take them.

/**
 * Nearest rank: the smallest value that `share` (0 to 1) of all values do not exceed. Always one that was measured,
 * never a mean of two. Throws when nothing was measured.
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new Error('Nothing was measured.')
  return value
}

export interface Percentiles {
  readonly p50: number
  readonly p95: number
}

export function percentiles(values: readonly number[]): Percentiles {
  return { p50: rounded(percentile(values, 0.5)), p95: rounded(percentile(values, 0.95)) }
}

/** To two decimals. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
