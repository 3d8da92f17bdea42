// Sorted set commands that name members. Those that name ranges are in sorted-set-ranges.ts, set algebra in sorted-set-algebra.ts.
import type { Bytes } from './bytes.ts'
import { type Command, type Commands, pairs, reads, Words, writes } from './command.ts'
import { scanAll } from './keys.ts'
import type { Keyspace } from './keyspace.ts'
import { count, float, formatFloat, integer } from './numbers.ts'
import { fail, type Reply, syntaxError } from './reply.ts'
import { sample } from './sample.ts'
import { type Scored, SortedSet } from './sorted-set.ts'

const none = new SortedSet()
/** For reading only. */
export const sortedSetAt = (keys: Keyspace, key: Bytes): SortedSet => keys.read('zset', key) ?? none

export const withScores = (rows: Scored[], scores: boolean): Bytes[] =>
  rows.flatMap(({ member, score }) => (scores ? [member, formatFloat(score)] : [member]))

interface AddRules {
  NX: boolean
  XX: boolean
  GT: boolean
  LT: boolean
  CH: boolean
  INCR: boolean
}

function addRules(words: Words): AddRules {
  const rules: AddRules = { NX: false, XX: false, GT: false, LT: false, CH: false, INCR: false }
  const names = Object.keys(rules) as (keyof AddRules)[]
  for (;;) {
    const name = names.find((option) => words.skip(option))
    if (name === undefined) break
    rules[name] = true
  }
  return rules
}

function checkRules({ NX, XX, GT, LT, INCR }: AddRules, rows: number): void {
  if (NX && XX) fail('ERR XX and NX options at the same time are not compatible')
  if ((GT && LT) || (NX && (GT || LT))) fail('ERR GT, LT, and/or NX options at the same time are not compatible')
  if (INCR && rows > 1) fail('ERR INCR option supports a single increment-element pair')
}

function add(keys: Keyspace, key: Bytes, ...rest: Bytes[]): Reply {
  const words = new Words(rest)
  const rules = addRules(words)
  const flat = words.rest()
  if (flat.length === 0 || flat.length % 2 === 1) throw syntaxError()
  checkRules(rules, flat.length / 2)
  const rows = pairs(flat).map(([score, member]) => ({ member, score: float(score) }))
  const set = keys.open('zset', key)
  let added = 0
  let changed = 0
  let last: Reply = null
  for (const row of rows) {
    const current = set.score(row.member)
    const score = rules.INCR ? (current ?? 0) + row.score : row.score
    if (Number.isNaN(score)) fail('ERR resulting score is not a number (NaN)')
    if (!applies(rules, current, score)) continue
    last = formatFloat(score)
    if (current === undefined) added += 1
    else if (current !== score) changed += 1
    set.set(row.member, score)
  }
  keys.dropIfEmpty(key)
  if (rules.INCR) return last
  return rules.CH ? added + changed : added
}

function applies({ NX, XX, GT, LT }: AddRules, current: number | undefined, score: number): boolean {
  if (current === undefined) return !XX
  return !(NX || (GT && score <= current) || (LT && score >= current))
}

const pop = (end: 'min' | 'max'): Command =>
  writes(-2, (keys, key, amount, ...rest) => {
    if (rest.length > 0) throw syntaxError()
    const wanted = amount === undefined ? 1 : count(amount)
    const set = keys.read('zset', key)
    if (set === undefined) return []
    const rows = end === 'min' ? set.slice(0, wanted) : set.slice(Math.max(set.size - wanted, 0)).reverse()
    for (const { member } of rows) set.delete(member)
    keys.dropIfEmpty(key)
    return withScores(rows, true)
  })

function randomMembers(keys: Keyspace, key: Bytes, amount?: Bytes, scores?: Bytes, ...rest: Bytes[]): Reply {
  if (rest.length > 0 || (scores !== undefined && scores.toUpperCase() !== 'WITHSCORES')) throw syntaxError()
  const wanted = amount === undefined ? 1 : integer(amount)
  const rows = sample(keys, sortedSetAt(keys, key).slice(), wanted)
  return amount === undefined ? (rows[0]?.member ?? null) : withScores(rows, scores !== undefined)
}

const scoreText = (set: SortedSet, member: Bytes): Bytes | null => {
  const score = set.score(member)
  return score === undefined ? null : formatFloat(score)
}

export const sortedSetCommands: Commands = {
  ZADD: writes(-4, add),
  ZINCRBY: writes(4, (keys, key, by, member) => add(keys, key, 'INCR', by, member)),
  ZREM: writes(-3, (keys, key, ...members) => {
    const set = keys.read('zset', key)
    const removed = members.filter((member) => set?.delete(member)).length
    keys.dropIfEmpty(key)
    return removed
  }),
  ZCARD: reads(2, (keys, key) => sortedSetAt(keys, key).size),
  ZSCORE: reads(3, (keys, key, member) => scoreText(sortedSetAt(keys, key), member)),
  ZMSCORE: reads(-3, (keys, key, ...members) => {
    const set = sortedSetAt(keys, key)
    return members.map((member) => scoreText(set, member))
  }),
  ZRANK: reads(3, (keys, key, member) => sortedSetAt(keys, key).rank(member) ?? null),
  ZREVRANK: reads(3, (keys, key, member) => {
    const set = sortedSetAt(keys, key)
    const rank = set.rank(member)
    return rank === undefined ? null : set.size - 1 - rank
  }),
  ZPOPMIN: pop('min'),
  ZPOPMAX: pop('max'),
  ZRANDMEMBER: reads(-2, randomMembers),
  ZSCAN: scanAll((keys, key) =>
    sortedSetAt(keys, key)
      .slice()
      .map((row) => withScores([row], true)),
  ),
}
