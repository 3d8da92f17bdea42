// List commands. The blocking ones are not among them: REST has no connection to block.
import type { Bytes } from './bytes.ts'
import { type Command, type Commands, reads, Words, writes } from './command.ts'
import type { Keyspace } from './keyspace.ts'
import { count, integer } from './numbers.ts'
import { fail, noSuchKey, ok, type Reply, syntaxError } from './reply.ts'

type End = 'LEFT' | 'RIGHT'

const listAt = (keys: Keyspace, key: Bytes): readonly Bytes[] => keys.read('list', key) ?? []

/** Both ends count, negative ones from the end. */
function between(keys: Keyspace, key: Bytes, startText: Bytes, stopText: Bytes): Bytes[] {
  const [start, stop] = [integer(startText), integer(stopText)]
  const list = listAt(keys, key)
  const from = Math.max(start < 0 ? list.length + start : start, 0)
  const to = stop < 0 ? list.length + stop : stop
  return list.slice(from, Math.max(to + 1, 0))
}

const push = (end: End, onlyExisting: boolean): Command =>
  writes(-3, (keys, key, ...values) => {
    if (onlyExisting && keys.read('list', key) === undefined) return 0
    const list = keys.open('list', key)
    for (const value of values) end === 'LEFT' ? list.unshift(value) : list.push(value)
    return list.length
  })

const pop = (name: string, end: End): Command =>
  writes(-2, (keys, key, amount, ...rest) => {
    if (rest.length > 0) fail(`ERR wrong number of arguments for '${name}' command`)
    const wanted = amount === undefined ? 1 : count(amount)
    const list = keys.read('list', key)
    if (list === undefined) return null
    const values = end === 'LEFT' ? list.splice(0, wanted) : list.splice(Math.max(list.length - wanted, 0)).reverse()
    keys.dropIfEmpty(key)
    return amount === undefined ? (values[0] ?? null) : values
  })

function move(keys: Keyspace, from: Bytes, to: Bytes, source: End, target: End): Reply {
  const list = keys.read('list', from)
  if (list === undefined) return null
  keys.read('list', to)
  const value = (source === 'LEFT' ? list.shift() : list.pop()) ?? ''
  const destination = keys.open('list', to)
  target === 'LEFT' ? destination.unshift(value) : destination.push(value)
  keys.dropIfEmpty(from)
  return value
}

function endOf(word: Bytes): End {
  const end = word.toUpperCase()
  if (end !== 'LEFT' && end !== 'RIGHT') throw syntaxError()
  return end
}

function insert(keys: Keyspace, key: Bytes, where: Bytes, pivot: Bytes, value: Bytes): Reply {
  if (!/^(?:before|after)$/i.test(where)) throw syntaxError()
  const list = keys.read('list', key)
  if (list === undefined) return 0
  const at = list.indexOf(pivot)
  if (at < 0) return -1
  list.splice(/^before$/i.test(where) ? at : at + 1, 0, value)
  return list.length
}

/** Up to `limit` equal ones, from the tail when the limit is negative, all when it is 0. */
function removeEqual(keys: Keyspace, key: Bytes, limitText: Bytes, value: Bytes): Reply {
  const limit = integer(limitText)
  const list = keys.read('list', key)
  if (list === undefined) return 0
  const places = [...list.keys()].filter((at) => list[at] === value)
  const chosen = new Set(limit < 0 ? places.slice(limit) : places.slice(0, limit || Infinity))
  const kept = list.filter((_, at) => !chosen.has(at))
  keys.revise('list', key, kept)
  keys.dropIfEmpty(key)
  return chosen.size
}

function position(keys: Keyspace, key: Bytes, value: Bytes, ...rest: Bytes[]): Reply {
  const words = new Words(rest)
  let rank = 1
  let wanted: number | undefined
  let limit = 0
  while (words.left > 0) {
    const option = words.option()
    if (option === 'RANK') rank = integer(words.value())
    else if (option === 'COUNT') wanted = count(words.value(), "ERR COUNT can't be negative")
    else if (option === 'MAXLEN') limit = count(words.value(), "ERR MAXLEN can't be negative")
    else throw syntaxError()
    if (rank === 0)
      fail(
        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
      )
  }
  const list = [...listAt(keys, key).entries()]
  const ordered = rank < 0 ? list.reverse() : list
  const matches = ordered.slice(0, limit || Infinity).filter(([, candidate]) => candidate === value)
  const places = matches.map(([at]) => at).slice(Math.abs(rank) - 1)
  return wanted === undefined ? (places[0] ?? null) : places.slice(0, wanted || Infinity)
}

export const listCommands: Commands = {
  LPUSH: push('LEFT', false),
  RPUSH: push('RIGHT', false),
  LPUSHX: push('LEFT', true),
  RPUSHX: push('RIGHT', true),
  LPOP: pop('lpop', 'LEFT'),
  RPOP: pop('rpop', 'RIGHT'),
  LLEN: reads(2, (keys, key) => listAt(keys, key).length),
  LRANGE: reads(4, between),
  LINDEX: reads(3, (keys, key, index) => keys.read('list', key)?.at(integer(index)) ?? null),
  LSET: writes(4, (keys, key, index, value) => {
    const list = keys.read('list', key)
    if (list === undefined) throw noSuchKey()
    const at = integer(index)
    if (list.at(at) === undefined) fail('ERR index out of range')
    list.splice(at, 1, value)
    return ok
  }),
  LTRIM: writes(4, (keys, key, start, stop) => {
    const kept = between(keys, key, start, stop)
    keys.revise('list', key, kept)
    keys.dropIfEmpty(key)
    return ok
  }),
  LREM: writes(4, removeEqual),
  LINSERT: writes(5, insert),
  LPOS: reads(-3, position),
  LMOVE: writes(5, (keys, from, to, source, target) => move(keys, from, to, endOf(source), endOf(target))),
  RPOPLPUSH: writes(3, (keys, from, to) => move(keys, from, to, 'RIGHT', 'LEFT')),
}
