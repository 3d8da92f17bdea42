// Set commands.
import type { Bytes } from './bytes.ts'
import { type Command, type Commands, reads, Words, writes } from './command.ts'
import { scanAll } from './keys.ts'
import type { Keyspace } from './keyspace.ts'
import { count, integer } from './numbers.ts'
import { fail, type Reply, syntaxError } from './reply.ts'
import { sample } from './sample.ts'

const none: ReadonlySet<Bytes> = new Set()
const setAt = (keys: Keyspace, key: Bytes): ReadonlySet<Bytes> => keys.read('set', key) ?? none

type Combine = (left: Set<Bytes>, right: ReadonlySet<Bytes>) => Set<Bytes>
const union: Combine = (left, right) => left.union(right)
const intersection: Combine = (left, right) => left.intersection(right)
const difference: Combine = (left, right) => left.difference(right)

function combined(keys: Keyspace, names: Bytes[], combine: Combine): Set<Bytes> {
  const [first, ...others] = names.map((name) => setAt(keys, name))
  return others.reduce<Set<Bytes>>(combine, new Set(first))
}

const combine = (how: Combine): Command => reads(-2, (keys, ...names) => [...combined(keys, names, how)])

const combineInto = (how: Combine): Command =>
  writes(-3, (keys, target, ...names) => {
    const result = combined(keys, names, how)
    keys.write('set', target, result)
    keys.dropIfEmpty(target)
    return result.size
  })

function intersectionSize(keys: Keyspace, numkeys: Bytes, ...rest: Bytes[]): Reply {
  const size = integer(numkeys, 'ERR numkeys should be greater than 0')
  if (size < 1) fail('ERR numkeys should be greater than 0')
  if (size > rest.length) fail("ERR Number of keys can't be greater than number of args")
  const words = new Words(rest)
  const names = words.take(size)
  const limit = words.skip('LIMIT') ? count(words.value(), "ERR LIMIT can't be negative") : 0
  if (words.left > 0) throw syntaxError()
  return Math.min(combined(keys, names, intersection).size, limit || Infinity)
}

function pop(keys: Keyspace, key: Bytes, amount?: Bytes, ...rest: Bytes[]): Reply {
  if (rest.length > 0) throw syntaxError()
  const wanted = amount === undefined ? 1 : count(amount)
  const members = sample(keys, [...setAt(keys, key)], wanted)
  for (const member of members) keys.read('set', key)?.delete(member)
  keys.dropIfEmpty(key)
  keys.journalAs = members.length > 0 ? ['SREM', key, ...members] : []
  return amount === undefined ? (members[0] ?? null) : members
}

function randomMembers(keys: Keyspace, key: Bytes, amount?: Bytes, ...rest: Bytes[]): Reply {
  if (rest.length > 0) throw syntaxError()
  const members = sample(keys, [...setAt(keys, key)], amount === undefined ? 1 : integer(amount))
  return amount === undefined ? (members[0] ?? null) : members
}

function move(keys: Keyspace, from: Bytes, to: Bytes, member: Bytes): Reply {
  const source = keys.read('set', from)
  if (source === undefined) return 0
  keys.read('set', to)
  if (!source.has(member)) return 0
  source.delete(member)
  keys.open('set', to).add(member)
  keys.dropIfEmpty(from)
  return 1
}

export const setCommands: Commands = {
  SADD: writes(-3, (keys, key, ...members) => {
    const set = keys.open('set', key)
    const before = set.size
    for (const member of members) set.add(member)
    return set.size - before
  }),
  SREM: writes(-3, (keys, key, ...members) => {
    const set = keys.read('set', key)
    const removed = members.filter((member) => set?.delete(member)).length
    keys.dropIfEmpty(key)
    return removed
  }),
  SMEMBERS: reads(2, (keys, key) => [...setAt(keys, key)]),
  SISMEMBER: reads(3, (keys, key, member) => Number(setAt(keys, key).has(member))),
  SMISMEMBER: reads(-3, (keys, key, ...members) => {
    const set = setAt(keys, key)
    return members.map((member) => Number(set.has(member)))
  }),
  SCARD: reads(2, (keys, key) => setAt(keys, key).size),
  SPOP: writes(-2, pop),
  SRANDMEMBER: reads(-2, randomMembers),
  SMOVE: writes(4, move),
  SUNION: combine(union),
  SINTER: combine(intersection),
  SDIFF: combine(difference),
  SUNIONSTORE: combineInto(union),
  SINTERSTORE: combineInto(intersection),
  SDIFFSTORE: combineInto(difference),
  SINTERCARD: reads(-3, intersectionSize),
  SSCAN: scanAll((keys, key) => [...setAt(keys, key)].map((member) => [member])),
}
