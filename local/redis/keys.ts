// Commands on keys of any type: deleting, renaming, copying, finding.

import { glob } from '../glob.ts'
import type { Bytes } from './bytes.ts'
import { type Command, type Commands, reads, Words, writes } from './command.ts'
import type { Entry, Keyspace } from './keyspace.ts'
import { integer } from './numbers.ts'
import { fail, noSuchKey, ok, type Reply, Status, syntaxError } from './reply.ts'

const countLive = (keys: Keyspace, names: Bytes[]) => names.filter((name) => keys.find(name) !== undefined).length

function copyOf({ type, value }: Entry): Entry['value'] {
  if (type === 'string') return value
  if (type === 'list') return [...value]
  if (type === 'hash') return new Map(value)
  if (type === 'set') return new Set(value)
  return value.copy()
}

function copy(keys: Keyspace, from: Bytes, to: Bytes, ...rest: Bytes[]): Reply {
  const words = new Words(rest)
  let replace = false
  while (words.left > 0) {
    const option = words.option()
    if (option === 'REPLACE') replace = true
    else if (option !== 'DB') throw syntaxError()
    else if (integer(words.value()) !== 0) fail('ERR DB index is out of range')
  }
  if (from === to) fail('ERR source and destination objects are the same')
  const entry = keys.find(from)
  if (entry === undefined || (keys.find(to) !== undefined && !replace)) return 0
  keys.write(entry.type, to, copyOf(entry), entry.expiresAt)
  return 1
}

function scan(keys: Keyspace, cursor: Bytes, ...rest: Bytes[]): Reply {
  checkCursor(cursor)
  const start = Number(cursor)
  const { match, size, type } = scanOptions(rest)
  const found: Bytes[] = []
  let seen = 0
  for (const [key, entry] of keys.entries()) {
    if (entry.order < start) continue
    if (seen === size) return [String(entry.order), found]
    seen += 1
    if (match(key) && (type ?? entry.type) === entry.type) found.push(key)
  }
  return ['0', found]
}

function scanOptions(rest: Bytes[]): { match: (text: Bytes) => boolean; size: number; type: string | undefined } {
  const words = new Words(rest)
  let match = (_: Bytes) => true
  let size = 10
  let type: string | undefined
  while (words.left > 0) {
    const option = words.option()
    if (option === 'MATCH') match = glob(words.value())
    else if (option === 'COUNT') size = integer(words.value())
    else if (option === 'TYPE') type = words.value().toLowerCase()
    else throw syntaxError()
    if (size < 1) throw syntaxError()
  }
  return { match, size, type }
}

/** HSCAN, SSCAN, ZSCAN: a collection always fits in one page, which Redis too does with small ones. */
export const scanAll = (rowsAt: (keys: Keyspace, key: Bytes) => Iterable<Bytes[]>): Command =>
  reads(-3, (keys, key, cursor, ...rest) => {
    checkCursor(cursor)
    const rows = [...rowsAt(keys, key)]
    if (rows.length === 0) return ['0', []]
    const { match, type } = scanOptions(rest)
    if (type !== undefined) throw syntaxError()
    return ['0', rows.filter(([name = '']) => match(name)).flat()]
  })

function checkCursor(cursor: Bytes): void {
  if (!/^(?:[-+]?\d+)?$/.test(cursor)) fail('ERR invalid cursor')
}

function rename(keys: Keyspace, from: Bytes, to: Bytes): void {
  if (keys.find(from) === undefined) throw noSuchKey()
  keys.rename(from, to)
}

const remove = writes(-2, (keys, ...names) => names.filter((name) => keys.delete(name)).length)

const flush = writes(-1, (keys, ...mode) => {
  if (mode.length > 1 || (mode[0] !== undefined && !/^(?:a?sync)$/i.test(mode[0]))) throw syntaxError()
  keys.clear()
  return ok
})

export const keyCommands: Commands = {
  DEL: remove,
  UNLINK: remove,
  EXISTS: reads(-2, (keys, ...names) => countLive(keys, names)),
  TOUCH: reads(-2, (keys, ...names) => countLive(keys, names)),
  TYPE: reads(2, (keys, key) => new Status(keys.find(key)?.type ?? 'none')),
  KEYS: reads(2, (keys, pattern) => [...keys.entries()].map(([key]) => key).filter(glob(pattern))),
  SCAN: reads(-2, scan),
  DBSIZE: reads(1, (keys) => [...keys.entries()].length),
  FLUSHDB: flush,
  FLUSHALL: flush,
  RENAME: writes(3, (keys, from, to) => {
    rename(keys, from, to)
    return ok
  }),
  RENAMENX: writes(3, (keys, from, to) => {
    const taken = keys.find(to) !== undefined
    if (keys.find(from) === undefined) throw noSuchKey()
    if (!taken) rename(keys, from, to)
    return Number(!taken)
  }),
  COPY: writes(-3, copy),
  RANDOMKEY: reads(1, (keys) => {
    const all = [...keys.entries()]
    return all[Math.floor(keys.random() * all.length)]?.[0] ?? null
  }),
}
