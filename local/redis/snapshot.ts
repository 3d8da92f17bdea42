// The data as the fewest commands that make it again.
import type { Bytes } from './bytes.ts'
import type { Entry, Keyspace } from './keyspace.ts'
import { formatFloat } from './numbers.ts'
import { formatId } from './stream.ts'

/** A command's arguments are spread on the call stack, which bears some 100,000 of them. */
const argumentsPerCommand = 1000

/** One list of commands per key. */
export function* snapshot(keys: Keyspace): Generator<Bytes[][]> {
  for (const [key, entry] of keys.entries()) {
    const commands = [...commandsFor(key, entry)]
    if (entry.expiresAt !== undefined) commands.push(['PEXPIREAT', key, String(entry.expiresAt)])
    yield commands
  }
}

function commandsFor(key: Bytes, entry: Entry): Iterable<Bytes[]> {
  switch (entry.type) {
    case 'string':
      return [['SET', key, entry.value]]
    case 'hash':
      return inLots('HSET', key, [...entry.value].flat())
    case 'list':
      return inLots('RPUSH', key, entry.value)
    case 'set':
      return inLots('SADD', key, [...entry.value])
    case 'zset': {
      const flat = entry.value.slice().flatMap(({ member, score }) => [formatFloat(score), member])
      return inLots('ZADD', key, flat)
    }
    case 'stream': {
      const { entries, lastId } = entry.value
      const adds = entries.map(({ id, fields }) => ['XADD', key, formatId(id), ...fields])
      if (adds.length > 0) return [...adds, ['XSETID', key, formatId(lastId)]]
      return [['XADD', key, 'MAXLEN', '0', formatId(lastId), '', '']]
    }
  }
}

function* inLots(name: string, key: Bytes, flat: Bytes[]): Generator<Bytes[]> {
  for (let at = 0; at < flat.length; at += argumentsPerCommand)
    yield [name, key, ...flat.slice(at, at + argumentsPerCommand)]
}
