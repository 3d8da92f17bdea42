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

export interface Spread {
  readonly p50Ms: number
  readonly p95Ms: number
}

export function spread(milliseconds: readonly number[]): Spread {
  return { p50Ms: rounded(percentile(milliseconds, 0.5)), p95Ms: rounded(percentile(milliseconds, 0.95)) }
}

/** To two decimals. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
