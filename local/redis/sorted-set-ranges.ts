// Ranges of a sorted set by rank, by score or by member, read, counted, stored or removed. ZRANGE is the general one.
import type { Bytes } from './bytes.ts'
import { type Command, type Commands, reads, Words, writes } from './command.ts'
import type { Keyspace } from './keyspace.ts'
import { float, integer } from './numbers.ts'
import { fail, type Reply, syntaxError } from './reply.ts'
import { type Scored, SortedSet } from './sorted-set.ts'
import { sortedSetAt, withScores } from './sorted-sets.ts'

type By = 'rank' | 'score' | 'member'

interface Selection {
  by: By
  reverse: boolean
  scores: boolean
  offset: number
  /** Negative is all. */
  limit: number
}

/** Where rows [from, to) lie. */
interface Span {
  from: number
  to: number
}

type Bound = (row: Scored) => number

const scoreBound = (text: Bytes): { exclusive: boolean; compare: Bound } => {
  const exclusive = text.startsWith('(')
  // Nothing is zero, by the way C reads numbers.
  const edge = float((exclusive ? text.slice(1) : text) || '0', 'ERR min or max is not a float')
  return { exclusive, compare: ({ score }) => (score === edge ? 0 : score < edge ? -1 : 1) }
}

const memberBound = (text: Bytes): { exclusive: boolean; compare: Bound } => {
  if (text === '-') return { exclusive: false, compare: () => 1 }
  if (text === '+') return { exclusive: false, compare: () => -1 }
  if (!/^[[(]/.test(text)) fail('ERR min or max not valid string range item')
  const edge = text.slice(1)
  return {
    exclusive: text.startsWith('('),
    compare: ({ member }) => (member === edge ? 0 : member < edge ? -1 : 1),
  }
}

/** Bounds are read before the key is, so that a bad bound is an error even without a key. */
function spanBy(by: By, lowText: Bytes, highText: Bytes): (set: SortedSet) => Span {
  if (by === 'rank') {
    const [start, stop] = [integer(lowText), integer(highText)]
    return ({ size }) => ({
      from: Math.max(start < 0 ? size + start : start, 0),
      to: Math.max((stop < 0 ? size + stop : Math.min(stop, size - 1)) + 1, 0),
    })
  }
  const bound = by === 'score' ? scoreBound : memberBound
  const [low, high] = [bound(lowText), bound(highText)]
  return (set) => ({
    from: set.firstPlace((row) => (low.exclusive ? low.compare(row) > 0 : low.compare(row) >= 0)),
    to: set.firstPlace((row) => (high.exclusive ? high.compare(row) >= 0 : high.compare(row) > 0)),
  })
}

const size = ({ from, to }: Span) => Math.max(to - from, 0)

function select(selection: Selection, start: Bytes, stop: Bytes): (set: SortedSet) => Scored[] {
  const { by, reverse, offset, limit } = selection
  // Reversed ranges by score and member name the higher bound first; by rank they count from the end.
  const [low, high] = reverse && by !== 'rank' ? [stop, start] : [start, stop]
  const spanOf = spanBy(by, low, high)
  return (set) => {
    const { from, to } = spanOf(set)
    if (from >= to || offset < 0) return []
    const rows = reverse && by === 'rank' ? set.slice().reverse().slice(from, to) : set.slice(from, to)
    if (reverse && by !== 'rank') rows.reverse()
    return rows.slice(offset, limit < 0 ? undefined : offset + limit)
  }
}

/** `fixed` is what the command's own name says already, so it is no option of it. */
function selectionFrom(rest: Bytes[], fixed: Partial<Selection>, storing = false): Selection {
  const words = new Words(rest)
  const selection: Selection = { by: 'rank', reverse: false, scores: false, offset: 0, limit: -1, ...fixed }
  let limited = false
  const choosable = () => fixed.by === undefined && selection.by === 'rank'
  while (words.left > 0) {
    const option = words.option()
    if (option === 'WITHSCORES' && !storing) selection.scores = true
    else if (option === 'LIMIT' && words.left >= 2) {
      selection.offset = integer(words.value())
      selection.limit = integer(words.value())
      limited = true
    } else if (option === 'REV' && fixed.reverse === undefined) selection.reverse = true
    else if (option === 'BYSCORE' && choosable()) selection.by = 'score'
    else if (option === 'BYLEX' && choosable()) selection.by = 'member'
    else throw syntaxError()
  }
  if (limited && selection.by === 'rank')
    fail('ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX')
  if (selection.scores && selection.by === 'member')
    fail('ERR syntax error, WITHSCORES not supported in combination with BYLEX')
  return selection
}

const range = (fixed: Partial<Selection>): Command =>
  reads(-4, (keys, key, start, stop, ...rest) => {
    const selection = selectionFrom(rest, fixed)
    return withScores(select(selection, start, stop)(sortedSetAt(keys, key)), selection.scores)
  })

function store(keys: Keyspace, target: Bytes, source: Bytes, start: Bytes, stop: Bytes, ...rest: Bytes[]): Reply {
  const rows = select(selectionFrom(rest, {}, true), start, stop)(sortedSetAt(keys, source))
  return writeRows(keys, target, rows)
}

export function writeRows(keys: Keyspace, target: Bytes, rows: Iterable<Scored>): number {
  const set = new SortedSet()
  for (const { member, score } of rows) set.set(member, score)
  keys.write('zset', target, set)
  keys.dropIfEmpty(target)
  return set.size
}

const countBy = (by: By): Command =>
  reads(4, (keys, key, low, high) => {
    const spanOf = spanBy(by, low, high)
    return size(spanOf(sortedSetAt(keys, key)))
  })

const removeBy = (by: By): Command =>
  writes(4, (keys, key, low, high) => {
    const spanOf = spanBy(by, low, high)
    const set = keys.read('zset', key)
    if (set === undefined) return 0
    const { from, to } = spanOf(set)
    const rows = set.slice(from, Math.max(from, to))
    for (const { member } of rows) set.delete(member)
    keys.dropIfEmpty(key)
    return rows.length
  })

export const sortedSetRangeCommands: Commands = {
  ZRANGE: range({}),
  ZREVRANGE: range({ by: 'rank', reverse: true }),
  ZRANGEBYSCORE: range({ by: 'score', reverse: false }),
  ZREVRANGEBYSCORE: range({ by: 'score', reverse: true }),
  ZRANGEBYLEX: range({ by: 'member', reverse: false }),
  ZREVRANGEBYLEX: range({ by: 'member', reverse: true }),
  ZRANGESTORE: writes(-5, store),
  ZCOUNT: countBy('score'),
  ZLEXCOUNT: countBy('member'),
  ZREMRANGEBYSCORE: removeBy('score'),
  ZREMRANGEBYRANK: removeBy('rank'),
  ZREMRANGEBYLEX: removeBy('member'),
}
