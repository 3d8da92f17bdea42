// Expiry: the units EX PX EXAT PXAT, and the commands that read and change when a key goes.
import type { Bytes } from './bytes.ts'
import { type Command, type Commands, reads, writes } from './command.ts'
import type { Keyspace } from './keyspace.ts'
import { integer } from './numbers.ts'
import { invalidExpire, ReplyError } from './reply.ts'

const units: Record<string, { ms: number; absolute: boolean }> = {
  EX: { ms: 1000, absolute: false },
  PX: { ms: 1, absolute: false },
  EXAT: { ms: 1000, absolute: true },
  PXAT: { ms: 1, absolute: true },
}

export const isExpiryUnit = (word: string): boolean => Object.hasOwn(units, word)

/** The time at which a key goes; `name` is the command that an error names. */
function timeFrom(keys: Keyspace, unit: string, amount: Bytes, name: string): number {
  const { ms, absolute } = units[unit] ?? { ms: 1, absolute: true }
  const at = integer(amount) * ms + (absolute ? 0 : keys.now)
  if (Math.abs(at) >= 2 ** 63) throw invalidExpire(name)
  return at
}

/** As SET and its family have it: zero and less is an error. */
export function expiryFrom(keys: Keyspace, unit: string, amount: Bytes, name: string): number {
  if (integer(amount) <= 0) throw invalidExpire(name)
  return timeFrom(keys, unit, amount, name)
}

function conditions(options: Bytes[]): Set<string> {
  const words = new Set(options.map((option) => option.toUpperCase()))
  const unknown = options.find((option) => !['NX', 'XX', 'GT', 'LT'].includes(option.toUpperCase()))
  if (unknown !== undefined) throw new ReplyError(`ERR Unsupported option ${unknown}`)
  if (words.has('NX') && words.size > 1)
    throw new ReplyError('ERR NX and XX, GT or LT options at the same time are not compatible')
  if (words.has('GT') && words.has('LT'))
    throw new ReplyError('ERR GT and LT options at the same time are not compatible')
  return words
}

const expire = (name: string, unit: string): Command =>
  writes(-3, (keys, key, amount, ...options) => {
    const words = conditions(options)
    const at = timeFrom(keys, unit, amount, name)
    const entry = keys.find(key)
    if (entry === undefined) return 0
    // A key without expiry lasts longer than any time.
    const current = entry.expiresAt ?? Infinity
    if (words.has('NX') && entry.expiresAt !== undefined) return 0
    if (words.has('XX') && entry.expiresAt === undefined) return 0
    if (words.has('GT') && at <= current) return 0
    if (words.has('LT') && at >= current) return 0
    entry.expiresAt = at
    return 1
  })

/** -2 without the key, -1 without an expiry. */
const expiryOf = (print: (expiresAt: number, now: number) => number): Command =>
  reads(2, (keys, key) => {
    const entry = keys.find(key)
    if (entry === undefined) return -2
    return entry.expiresAt === undefined ? -1 : print(entry.expiresAt, keys.now)
  })

export const expiryCommands: Commands = {
  EXPIRE: expire('expire', 'EX'),
  PEXPIRE: expire('pexpire', 'PX'),
  EXPIREAT: expire('expireat', 'EXAT'),
  PEXPIREAT: expire('pexpireat', 'PXAT'),
  TTL: expiryOf((expiresAt, now) => Math.floor((expiresAt - now + 500) / 1000)),
  PTTL: expiryOf((expiresAt, now) => expiresAt - now),
  EXPIRETIME: expiryOf((expiresAt) => Math.floor((expiresAt + 500) / 1000)),
  PEXPIRETIME: expiryOf((expiresAt) => expiresAt),
  PERSIST: writes(2, (keys, key) => {
    const entry = keys.find(key)
    if (entry?.expiresAt === undefined) return 0
    entry.expiresAt = undefined
    return 1
  }),
}
