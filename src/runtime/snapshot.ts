// When the state itself is stored beside the deltas: so seldom that all snapshots together cost about as much as the deltas, so often that a load stays short.
import { type Position, snapshotText } from '../graph/checkpoint.ts'
import type { ClaimedTurn } from '../ports/checkpointer.ts'

const slackBytes = 16_384

/**
 * The state's text where it is due, else `undefined`. Due when the deltas since the last snapshot outweigh it by 16 KB, or when snapshot and deltas together outweigh twice
 * the state by 16 KB (a thread from which much was deleted).
 */
export function dueSnapshot({ head, chainBytes, baseBytes }: ClaimedTurn, position: Position): string | undefined {
  if (head === 0 || chainBytes === 0) return undefined
  if (chainBytes > baseBytes + slackBytes) return snapshotText(position)
  const limit = (chainBytes + baseBytes - slackBytes) / 2
  if (limit <= 0 || textWithin(position.values, limit) >= limit) return undefined
  // The estimate knows no escapes and no Map: believed alone, it would store such a state at every turn.
  const text = snapshotText(position)
  return Buffer.byteLength(text) < limit ? text : undefined
}

/** About the bytes of text in `value`, counted no further than `limit`. Cheap, and seldom too high. */
export function textWithin(value: unknown, limit: number): number {
  if (typeof value === 'string') return Buffer.byteLength(value) + 2
  if (typeof value !== 'object' || value === null) return 8
  let count = 2
  for (const key of Object.keys(value)) {
    count += key.length + 4 + textWithin((value as Record<string, unknown>)[key], limit - count)
    if (count >= limit) break
  }
  return count
}
