// String commands: GET, SET and its family, counters, ranges.
import type { Bytes } from './bytes.ts'
import { type Commands, pairs, reads, Words, writes } from './command.ts'
import { expiryFrom, isExpiryUnit } from './expiry.ts'
import type { Keyspace } from './keyspace.ts'
import { addDecimals, int64, integer, maxInt64, minInt64 } from './numbers.ts'
import { fail, ok, type Reply, ReplyError, syntaxError, wrongArity } from './reply.ts'

const maxLength = 512 * 1024 * 1024

function set(keys: Keyspace, key: Bytes, value: Bytes, ...rest: Bytes[]): Reply {
  const words = new Words(rest)
  let only: 'NX' | 'XX' | undefined
  let get = false
  let keepsExpiry = false
  let expiry: { unit: string; amount: Bytes } | undefined
  while (words.left > 0) {
    const option = words.option()
    if ((option === 'NX' || option === 'XX') && (only ?? option) === option) only = option
    else if (option === 'GET') get = true
    else if (option === 'KEEPTTL' && expiry === undefined) keepsExpiry = true
    else if (isExpiryUnit(option) && expiry === undefined && !keepsExpiry)
      expiry = { unit: option, amount: words.value() }
    else throw syntaxError()
  }
  const expiresAt = expiry && expiryFrom(keys, expiry.unit, expiry.amount, 'set')
  const before = get ? (keys.read('string', key) ?? null) : null
  const current = keys.find(key)
  const refused = only !== undefined && (only === 'NX') === (current !== undefined)
  if (!refused) keys.write('string', key, value, keepsExpiry ? current?.expiresAt : expiresAt)
  if (get) return before
  return refused ? null : ok
}

function getAndExpire(keys: Keyspace, key: Bytes, ...rest: Bytes[]): Reply {
  const words = new Words(rest)
  const option = words.left > 0 ? words.option() : undefined
  const amount = option !== undefined && option !== 'PERSIST' ? words.value() : undefined
  if (words.left > 0 || (amount !== undefined && !isExpiryUnit(option ?? ''))) throw syntaxError()
  const value = keys.read('string', key)
  if (value === undefined) return null
  if (option === 'PERSIST') keys.write('string', key, value)
  if (option !== undefined && amount !== undefined)
    keys.write('string', key, value, expiryFrom(keys, option, amount, 'getex'))
  return value
}

function increment(keys: Keyspace, key: Bytes, by: bigint): Reply {
  const sum = int64(keys.read('string', key) ?? '0') + by
  if (sum > maxInt64 || sum < minInt64) throw new ReplyError('ERR increment or decrement would overflow')
  keys.revise('string', key, String(sum))
  return sum
}

function setMany(keys: Keyspace, name: string, flat: Bytes[], onlyNew: boolean): boolean {
  if (flat.length % 2 === 1) throw wrongArity(name)
  const entries = pairs(flat)
  if (onlyNew && entries.some(([key]) => keys.find(key) !== undefined)) return false
  for (const [key, value] of entries) keys.write('string', key, value)
  return true
}

function setRange(keys: Keyspace, key: Bytes, offsetText: Bytes, patch: Bytes): Reply {
  const offset = integer(offsetText)
  if (offset < 0) fail('ERR offset is out of range')
  const value = keys.read('string', key) ?? ''
  if (patch === '') return value.length
  if (offset + patch.length > maxLength) fail('ERR string exceeds maximum allowed size (proto-max-bulk-len)')
  const next = value.slice(0, offset).padEnd(offset, '\0') + patch + value.slice(offset + patch.length)
  return keys.revise('string', key, next).length
}

/** Both ends count, negative ones from the end. An end before the first byte is the first byte: so it is in Redis. */
function getRange(keys: Keyspace, key: Bytes, startText: Bytes, stopText: Bytes): Bytes {
  const [start, stop] = [integer(startText), integer(stopText)]
  const value = keys.read('string', key) ?? ''
  if (start < 0 && stop < 0 && start > stop) return ''
  const place = (index: number) => Math.max(index < 0 ? value.length + index : index, 0)
  return value.slice(place(start), place(stop) + 1)
}

const setExpiring = (name: string, unit: string) =>
  writes(4, (keys, key, amount, value) => {
    keys.write('string', key, value, expiryFrom(keys, unit, amount, name))
    return ok
  })

export const stringCommands: Commands = {
  GET: reads(2, (keys, key) => keys.read('string', key) ?? null),
  SET: writes(-3, set),
  SETEX: setExpiring('setex', 'EX'),
  PSETEX: setExpiring('psetex', 'PX'),
  SETNX: writes(3, (keys, key, value) => Number(setMany(keys, 'setnx', [key, value], true))),
  GETSET: writes(3, (keys, key, value) => {
    const before = keys.read('string', key) ?? null
    keys.write('string', key, value)
    return before
  }),
  GETDEL: writes(2, (keys, key) => {
    const value = keys.read('string', key) ?? null
    keys.delete(key)
    return value
  }),
  GETEX: writes(-2, getAndExpire),
  MGET: reads(-2, (keys, ...names) =>
    names.map((name) => {
      const entry = keys.find(name)
      return entry?.type === 'string' ? entry.value : null
    }),
  ),
  MSET: writes(-3, (keys, ...flat) => {
    setMany(keys, 'mset', flat, false)
    return ok
  }),
  MSETNX: writes(-3, (keys, ...flat) => Number(setMany(keys, 'msetnx', flat, true))),
  APPEND: writes(3, (keys, key, tail) => keys.revise('string', key, (keys.read('string', key) ?? '') + tail).length),
  STRLEN: reads(2, (keys, key) => (keys.read('string', key) ?? '').length),
  INCR: writes(2, (keys, key) => increment(keys, key, 1n)),
  DECR: writes(2, (keys, key) => increment(keys, key, -1n)),
  INCRBY: writes(3, (keys, key, by) => increment(keys, key, int64(by))),
  DECRBY: writes(3, (keys, key, by) => {
    const amount = int64(by)
    if (amount === minInt64) fail('ERR decrement would overflow')
    return increment(keys, key, -amount)
  }),
  INCRBYFLOAT: writes(3, (keys, key, by) =>
    keys.revise('string', key, addDecimals(keys.read('string', key) ?? '0', by)),
  ),
  GETRANGE: reads(4, getRange),
  SETRANGE: writes(4, setRange),
}
