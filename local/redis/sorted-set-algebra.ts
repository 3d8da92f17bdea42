// Union, intersection and difference of sorted sets; plain sets take part with a score of 1.
import type { Bytes } from './bytes.ts'
import { type Command, type Commands, reads, Words, writes } from './command.ts'
import type { Keyspace } from './keyspace.ts'
import { count, float, integer } from './numbers.ts'
import { fail, syntaxError, wrongType } from './reply.ts'
import type { Scored } from './sorted-set.ts'
import { writeRows } from './sorted-set-ranges.ts'
import { withScores } from './sorted-sets.ts'

type How = 'union' | 'inter' | 'diff'
type Scores = Map<Bytes, number>

const aggregates: Record<string, (left: number, right: number) => number> = {
  // Infinity and minus infinity meet at 0, as in Redis.
  SUM: (left, right) => left + right || 0,
  MIN: Math.min,
  MAX: Math.max,
}

interface Algebra {
  inputs: Scores[]
  weights: number[]
  aggregate: string
  scores: boolean
  limit: number
}

function scoresAt(keys: Keyspace, key: Bytes): Scores {
  const entry = keys.find(key)
  if (entry === undefined) return new Map()
  if (entry.type === 'set') return new Map([...entry.value].map((member) => [member, 1]))
  if (entry.type !== 'zset') throw wrongType()
  return new Map(entry.value.slice().map(({ member, score }) => [member, score]))
}

interface Form {
  name: string
  how: How
  /** What may follow the keys: WITHSCORES where rows are the reply, LIMIT where their number is. */
  result: 'rows' | 'stored' | 'size'
}

function parse(keys: Keyspace, form: Form, numkeys: Bytes, rest: Bytes[]): Algebra {
  const size = integer(numkeys)
  if (size < 1) fail(`ERR at least 1 input key is needed for '${form.name}' command`)
  const words = new Words(rest)
  if (size > words.left) throw syntaxError()
  const inputs = words.take(size).map((name) => scoresAt(keys, name))
  const algebra: Algebra = { inputs, weights: inputs.map(() => 1), aggregate: 'SUM', scores: false, limit: 0 }
  const weighs = form.how !== 'diff' && form.result !== 'size'
  while (words.left > 0) {
    const option = words.option()
    if (option === 'WEIGHTS' && weighs && words.left >= size)
      algebra.weights = words.take(size).map((weight) => float(weight, 'ERR weight value is not a float'))
    else if (option === 'AGGREGATE' && weighs) algebra.aggregate = words.option()
    else if (option === 'WITHSCORES' && form.result === 'rows') algebra.scores = true
    else if (option === 'LIMIT' && form.result === 'size')
      algebra.limit = count(words.value(), "ERR LIMIT can't be negative")
    else throw syntaxError()
  }
  if (!Object.hasOwn(aggregates, algebra.aggregate)) throw syntaxError()
  return algebra
}

function compute(how: How, { inputs, weights, aggregate }: Algebra): Scored[] {
  const [first = new Map<Bytes, number>(), ...others] = inputs
  if (how === 'diff') return rows([...first].filter(([member]) => !others.some((other) => other.has(member))))
  const together = aggregates[aggregate] ?? Math.max
  const result: Scores = new Map()
  for (const [at, input] of inputs.entries()) {
    for (const [member, score] of input) {
      const weighted = score * (weights[at] ?? 1) || 0
      const current = result.get(member)
      result.set(member, current === undefined ? weighted : together(current, weighted))
    }
  }
  const everywhere = ([member]: [Bytes, number]) => inputs.every((input) => input.has(member))
  return rows(how === 'union' ? [...result] : [...result].filter(everywhere))
}

const rows = (scores: [Bytes, number][]): Scored[] =>
  scores
    .map(([member, score]) => ({ member, score }))
    .sort((left, right) => left.score - right.score || (left.member < right.member ? -1 : 1))

const rowsOf = (name: string, how: How): Command =>
  reads(-3, (keys, numkeys, ...rest) => {
    const algebra = parse(keys, { name, how, result: 'rows' }, numkeys, rest)
    return withScores(compute(how, algebra), algebra.scores)
  })

const storeOf = (name: string, how: How): Command =>
  writes(-4, (keys, target, numkeys, ...rest) => {
    const algebra = parse(keys, { name, how, result: 'stored' }, numkeys, rest)
    return writeRows(keys, target, compute(how, algebra))
  })

export const sortedSetAlgebraCommands: Commands = {
  ZUNION: rowsOf('zunion', 'union'),
  ZINTER: rowsOf('zinter', 'inter'),
  ZDIFF: rowsOf('zdiff', 'diff'),
  ZUNIONSTORE: storeOf('zunionstore', 'union'),
  ZINTERSTORE: storeOf('zinterstore', 'inter'),
  ZDIFFSTORE: storeOf('zdiffstore', 'diff'),
  ZINTERCARD: reads(-3, (keys, numkeys, ...rest) => {
    const algebra = parse(keys, { name: 'zintercard', how: 'inter', result: 'size' }, numkeys, rest)
    return Math.min(compute('inter', algebra).length, algebra.limit || Infinity)
  }),
}
