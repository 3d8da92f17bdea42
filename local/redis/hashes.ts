// Hash commands.
import type { Bytes } from './bytes.ts'
import { type Commands, pairs, reads, writes } from './command.ts'
import { scanAll } from './keys.ts'
import type { Keyspace } from './keyspace.ts'
import { addDecimals, float, int64, integer, maxInt64, minInt64 } from './numbers.ts'
import { ok, type Reply, ReplyError, syntaxError, wrongArity } from './reply.ts'
import { sample } from './sample.ts'

const none: ReadonlyMap<Bytes, Bytes> = new Map()
const hashAt = (keys: Keyspace, key: Bytes): ReadonlyMap<Bytes, Bytes> => keys.read('hash', key) ?? none

function setFields(keys: Keyspace, name: string, key: Bytes, flat: Bytes[]): number {
  if (flat.length % 2 === 1) throw wrongArity(name)
  const hash = keys.open('hash', key)
  const before = hash.size
  for (const [field, value] of pairs(flat)) hash.set(field, value)
  return hash.size - before
}

function increment(keys: Keyspace, key: Bytes, field: Bytes, by: Bytes): Reply {
  const amount = int64(by)
  const sum = int64(hashAt(keys, key).get(field) ?? '0', 'ERR hash value is not an integer') + amount
  if (sum > maxInt64 || sum < minInt64) throw new ReplyError('ERR increment or decrement would overflow')
  keys.open('hash', key).set(field, String(sum))
  return sum
}

function incrementFloat(keys: Keyspace, key: Bytes, field: Bytes, by: Bytes): Reply {
  float(by)
  const sum = addDecimals(hashAt(keys, key).get(field) ?? '0', by, 'ERR hash value is not a float')
  keys.open('hash', key).set(field, sum)
  return sum
}

function randomFields(keys: Keyspace, key: Bytes, amount?: Bytes, withValues?: Bytes, ...rest: Bytes[]): Reply {
  if (rest.length > 0 || (withValues !== undefined && withValues.toUpperCase() !== 'WITHVALUES')) throw syntaxError()
  const wanted = amount === undefined ? undefined : integer(amount)
  const hash = hashAt(keys, key)
  if (wanted === undefined) return sample(keys, [...hash.keys()], 1)[0] ?? null
  const rows = sample(keys, [...hash], wanted)
  return rows.flatMap(([field, value]) => (withValues === undefined ? [field] : [field, value]))
}

export const hashCommands: Commands = {
  HSET: writes(-4, (keys, key, ...flat) => setFields(keys, 'hset', key, flat)),
  HMSET: writes(-4, (keys, key, ...flat) => {
    setFields(keys, 'hmset', key, flat)
    return ok
  }),
  HSETNX: writes(4, (keys, key, field, value) =>
    hashAt(keys, key).has(field) ? 0 : setFields(keys, 'hsetnx', key, [field, value]),
  ),
  HGET: reads(3, (keys, key, field) => hashAt(keys, key).get(field) ?? null),
  HMGET: reads(-3, (keys, key, ...fields) => {
    const hash = hashAt(keys, key)
    return fields.map((field) => hash.get(field) ?? null)
  }),
  HGETALL: reads(2, (keys, key) => [...hashAt(keys, key)].flat()),
  HKEYS: reads(2, (keys, key) => [...hashAt(keys, key).keys()]),
  HVALS: reads(2, (keys, key) => [...hashAt(keys, key).values()]),
  HLEN: reads(2, (keys, key) => hashAt(keys, key).size),
  HSTRLEN: reads(3, (keys, key, field) => (hashAt(keys, key).get(field) ?? '').length),
  HEXISTS: reads(3, (keys, key, field) => Number(hashAt(keys, key).has(field))),
  HDEL: writes(-3, (keys, key, ...fields) => {
    const hash = keys.read('hash', key)
    const removed = fields.filter((field) => hash?.delete(field)).length
    keys.dropIfEmpty(key)
    return removed
  }),
  HINCRBY: writes(4, increment),
  HINCRBYFLOAT: writes(4, incrementFloat),
  HRANDFIELD: reads(-2, randomFields),
  HSCAN: scanAll(hashAt),
}
