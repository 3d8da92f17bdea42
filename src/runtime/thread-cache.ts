// What the cache contributes to a turn: a candidate state before it, an append after it. Redis only ever saves time.
import { deltaText, type Position, parseDelta, parseSnapshot, snapshotText } from '../graph/checkpoint.ts'
import { applyDelta, difference } from '../graph/delta.ts'
import type { Cache, CacheKey } from '../ports/cache.ts'

/** A state that is the thread's if and only if its seq and hash equal the head's (T2). */
export interface Candidate {
  readonly seq: number
  readonly hash: string
  readonly position: Position
  /** Text of the state it began with, and of what was appended since. */
  readonly stateBytes: number
  readonly appendedBytes: number
}

const slackBytes = 16_384

/** Any error, and anything odd, is a miss. */
export async function readCandidate(cache: Cache | undefined, key: CacheKey): Promise<Candidate | undefined> {
  if (cache === undefined) return undefined
  try {
    const [state, ...turns] = await cache.read(key)
    if (state === undefined) return undefined
    const tip = turns.at(-1) ?? state
    return {
      seq: tip.seq,
      hash: tip.hash,
      position: turns.reduce(
        (position, turn) => applyDelta(position, parseDelta(turn.text)),
        parseSnapshot(state.text),
      ),
      stateBytes: state.text.length,
      appendedBytes: turns.reduce((sum, turn) => sum + turn.text.length, 0),
    }
  } catch {
    return undefined
  }
}

/** Appends what changed since the candidate, which may lie behind by lost turns; or starts anew after a miss or when the appended parts outweigh the state. */
export async function writeTip(
  cache: Cache,
  key: CacheKey,
  candidate: Candidate | undefined,
  tip: { seq: number; hash: string; position: Position },
): Promise<void> {
  const { seq, hash, position } = tip
  const outweighed = candidate !== undefined && candidate.appendedBytes > candidate.stateBytes + slackBytes
  if (candidate === undefined || outweighed || candidate.seq > seq || surpasses(candidate.position, position)) {
    await cache.replace(key, { seq, hash, text: snapshotText(position) })
    return
  }
  if (candidate.seq === seq && candidate.hash === hash) return
  const text = deltaText(difference(candidate.position, position))
  await cache.append(key, { seq: candidate.seq, hash: candidate.hash }, [{ seq, hash, text }])
}

/** Whether it has a channel that the thread has not: it is of another branch, or of a deleted thread, and a delta takes no channel away. */
function surpasses(candidate: Position, position: Position): boolean {
  return Object.keys(candidate.values).some((name) => !Object.hasOwn(position.values, name))
}
