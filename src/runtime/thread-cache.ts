// What the cache contributes to a turn: a candidate state before it, an append after it. Redis only ever saves time.
import { deltaText, type Position, parseDelta, parseSnapshot, snapshotText } from '../graph/checkpoint.ts'
import { applyDeltas, difference } from '../graph/delta.ts'
import type { Cache, CacheEntry, CacheKey } from '../ports/cache.ts'
import { textWithin } from './snapshot.ts'

/** A state that is the thread's if and only if its seq and hash equal the head's (T2). */
export interface Candidate {
  readonly seq: number
  readonly hash: string
  readonly position: Position
  /** Text of the state it began with, and of what was appended since. */
  readonly stateBytes: number
  readonly appendedBytes: number
}

/** What the cache had to say before a turn. */
export interface Cached {
  readonly candidate?: Candidate
  /** It did not answer: what it holds is not known, and may well be the thread. */
  readonly silent?: true
}

const slackBytes = 16_384

/** Any error, and anything odd, is a miss. */
export async function readCached(cache: Cache | undefined, key: CacheKey): Promise<Cached> {
  const entries = await cache?.read(key).catch(() => undefined)
  if (entries === undefined) return cache === undefined ? {} : { silent: true }
  try {
    const candidate = candidateOf(entries)
    return candidate === undefined ? {} : { candidate }
  } catch {
    return {}
  }
}

function candidateOf([state, ...turns]: readonly CacheEntry[]): Candidate | undefined {
  if (state === undefined) return undefined
  const tip = turns.at(-1) ?? state
  return {
    seq: tip.seq,
    hash: tip.hash,
    position: applyDeltas(
      parseSnapshot(state.text),
      turns.map(({ text }) => parseDelta(text)),
    ),
    stateBytes: state.text.length,
    appendedBytes: turns.reduce((sum, turn) => sum + turn.text.length, 0),
  }
}

interface Tip {
  readonly seq: number
  readonly hash: string
  readonly position: Position
}

/**
 * Appends what changed since the candidate, which may lie behind by lost turns; or starts anew after a miss or when the appended
 * parts outweigh the state. Behind a silence it appends to what the thread was: a slow cache is not sent the thread at every turn.
 * A state that would not be read in time is taken out, and not written again.
 */
export async function writeTip(
  cache: Cache,
  key: CacheKey,
  { cached: { candidate, silent }, start }: { readonly cached: Cached; readonly start: Tip },
  tip: Tip,
): Promise<void> {
  const { seq, hash, position } = tip
  const tooLong = () => textWithin(position.values, cache.longest) >= cache.longest
  if (silent && start.seq > 0 && !tooLong()) {
    await cache.append(key, start, [{ seq, hash, text: deltaText(difference(start.position, position)) }])
    return
  }
  const outweighed = candidate !== undefined && candidate.appendedBytes > candidate.stateBytes + slackBytes
  if (candidate === undefined || outweighed || candidate.seq > seq || surpasses(candidate.position, position)) {
    if (!tooLong()) await cache.replace(key, { seq, hash, text: snapshotText(position) })
    else if (candidate !== undefined || silent) await cache.replace(key, undefined)
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
