// When the state itself is stored beside the deltas: so seldom that all snapshots together cost about as much as the deltas, so often that a load stays short.
import type { Position } from '../graph/checkpoint.ts'
import type { ClaimedTurn } from '../ports/checkpointer.ts'

const slackBytes = 16_384

/**
 * Due when the deltas since the last snapshot outweigh it by 16 KB, or when snapshot and deltas together outweigh twice
 * the state by 16 KB (a thread from which much was deleted).
 */
export function snapshotIsDue({ head, chainBytes, baseBytes }: ClaimedTurn, { values }: Position): boolean {
  if (head === 0 || chainBytes === 0) return false
  if (chainBytes > baseBytes + slackBytes) return true
  const limit = (chainBytes + baseBytes - slackBytes) / 2
  return limit > 0 && textWithin(values, limit) < limit
}

/** Characters of text in `value`, counted no further than `limit`. */
function textWithin(value: unknown, limit: number): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 8
  let count = 2
  for (const key of Object.keys(value)) {
    count += key.length + 4 + textWithin((value as Record<string, unknown>)[key], limit - count)
    if (count >= limit) break
  }
  return count
}
