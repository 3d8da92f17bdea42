// Stream commands, without consumer groups.
import type { Bytes } from './bytes.ts'
import { type Command, type Commands, reads, Words, writes } from './command.ts'
import type { Keyspace } from './keyspace.ts'
import { count, integer } from './numbers.ts'
import { fail, noSuchKey, ok, type Reply, syntaxError, wrongArity } from './reply.ts'
import {
  formatId,
  maxSequence,
  maxStreamId,
  millisecondsOf,
  parseId,
  Stream,
  type StreamEntry,
  type StreamId,
  streamId,
} from './stream.ts'
import { blockingRead } from './unavailable.ts'

const none = new Stream()
const streamAt = (keys: Keyspace, key: Bytes): Stream => keys.read('stream', key) ?? none

const rows = (entries: StreamEntry[]): Reply[] => entries.map(({ id, fields }) => [formatId(id), fields])

interface Trim {
  excess: (stream: Stream) => number
  approximate: boolean
  /** The most entries to take away at once; 0 is no limit. */
  limit: number
}

/** Redis keeps entries in lots and `~` lets it drop whole lots only; so do we, lest a `~` look exact here and nowhere else. */
const lot = 100

function trim(stream: Stream, { excess, approximate, limit }: Trim): number {
  const size = Math.max(excess(stream), 0)
  const most = limit === 0 ? size : Math.min(size, limit)
  return stream.entries.splice(0, approximate ? most - (most % lot) : most).length
}

function trimFrom(words: Words): Trim | undefined {
  const strategy = words.skip('MAXLEN') ? 'MAXLEN' : words.skip('MINID') ? 'MINID' : undefined
  if (strategy === undefined) return undefined
  const approximate = words.skip('~')
  if (!approximate) words.skip('=')
  const threshold = words.value()
  let excess: Trim['excess']
  if (strategy === 'MAXLEN') {
    const keep = integer(threshold)
    if (keep < 0) fail('ERR The MAXLEN argument must be >= 0.')
    excess = ({ entries }) => entries.length - keep
  } else {
    const oldest = parseId(threshold)
    excess = (stream) => stream.placeOf(oldest)
  }
  if (!words.skip('LIMIT')) return { excess, approximate, limit: approximate ? 100 * lot : 0 }
  const limit = count(words.value(), 'ERR The LIMIT argument must be >= 0.')
  if (!approximate) fail('ERR syntax error, LIMIT cannot be used without the special ~ option')
  return { excess, approximate, limit }
}

/** `*`, `<ms>-*`, or an id in full. */
function nextId(text: Bytes, lastId: StreamId, now: number): StreamId {
  if (text === '*') {
    const fromClock = streamId(BigInt(now), 0n)
    return fromClock > lastId ? fromClock : lastId + 1n
  }
  if (!text.endsWith('-*')) return parseId(text)
  const start = parseId(text.slice(0, -2))
  return millisecondsOf(start) === millisecondsOf(lastId) ? lastId + 1n : start || 1n
}

function add(keys: Keyspace, key: Bytes, ...rest: Bytes[]): Reply {
  const words = new Words(rest)
  let makes = true
  let trimming: Trim | undefined
  for (;;) {
    if (words.skip('NOMKSTREAM')) makes = false
    else {
      const found = trimFrom(words)
      if (found === undefined) break
      if (trimming !== undefined) fail('ERR syntax error, MAXLEN and MINID options at the same time are not compatible')
      trimming = found
    }
  }
  const idText = words.value()
  const fields = words.rest()
  // Checked without a stream first: a bad id is an error even where NOMKSTREAM would do nothing.
  const least = nextId(idText, 0n, keys.now)
  if (fields.length === 0 || fields.length % 2 === 1) throw wrongArity('xadd')
  if (least === 0n) fail('ERR The ID specified in XADD must be greater than 0-0')
  const existing = keys.read('stream', key)
  if (existing === undefined && !makes) return null
  const lastId = existing?.lastId ?? 0n
  if (lastId === maxStreamId) fail('ERR The stream has exhausted the last possible ID, unable to add more items')
  const id = nextId(idText, lastId, keys.now)
  if (id <= lastId || id > maxStreamId)
    fail('ERR The ID specified in XADD is equal or smaller than the target stream top item')
  const stream = keys.open('stream', key)
  stream.append({ id, fields })
  if (trimming !== undefined) trim(stream, trimming)
  // The journal's clock makes `*` the same id again when it is replayed.
  return formatId(id)
}

function bound(text: Bytes, end: 'start' | 'stop'): StreamId {
  if (text === '-') return 0n
  if (text === '+') return maxStreamId
  const sequence = end === 'start' ? 0n : maxSequence
  if (!text.startsWith('(')) return parseId(text, sequence)
  const edge = parseId(text.slice(1), sequence)
  if (end === 'start' && edge === maxStreamId) fail('ERR invalid start ID for the interval')
  if (end === 'stop' && edge === 0n) fail('ERR invalid end ID for the interval')
  return end === 'start' ? edge + 1n : edge - 1n
}

const range = (reverse: boolean): Command =>
  reads(-4, (keys, key, first, second, ...rest) => {
    const from = bound(reverse ? second : first, 'start')
    const to = bound(reverse ? first : second, 'stop')
    const words = new Words(rest)
    let limit = Infinity
    while (words.left > 0) {
      if (words.option() !== 'COUNT') throw syntaxError()
      limit = Math.max(integer(words.value()), 0)
    }
    const stream = keys.read('stream', key)
    if (limit === 0) return stream === undefined ? [] : null
    const entries = stream?.range(from, to) ?? []
    return rows((reverse ? entries.reverse() : entries).slice(0, limit))
  })

function read(keys: Keyspace, ...rest: Bytes[]): Reply {
  const words = new Words(rest)
  let limit = Infinity
  while (words.left > 0 && !words.skip('STREAMS')) {
    const option = words.option()
    if (option === 'COUNT') limit = Math.max(integer(words.value()), 0) || Infinity
    else if (option === 'BLOCK') throw blockingRead('XREAD')
    else throw syntaxError()
  }
  const flat = words.rest()
  if (flat.length === 0) throw syntaxError()
  if (flat.length % 2 === 1)
    fail("ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.")
  const half = flat.length / 2
  const found: Reply[] = []
  for (const [at, key] of flat.slice(0, half).entries()) {
    const stream = streamAt(keys, key)
    const idText = flat[half + at] ?? ''
    const after = idText === '$' ? stream.lastId : parseId(idText)
    const entries = stream.range(after + 1n, maxStreamId).slice(0, limit)
    if (entries.length > 0) found.push([key, rows(entries)])
  }
  return found.length > 0 ? found : null
}

function setLastId(keys: Keyspace, key: Bytes, idText: Bytes, ...rest: Bytes[]): Reply {
  if (rest.length > 0) throw syntaxError()
  const id = parseId(idText)
  const stream = keys.read('stream', key)
  if (stream === undefined) throw noSuchKey()
  if (id < (stream.entries.at(-1)?.id ?? 0n))
    fail('ERR The ID specified in XSETID is smaller than the target stream top item')
  stream.lastId = id
  return ok
}

export const streamCommands: Commands = {
  XADD: writes(-5, add),
  XLEN: reads(2, (keys, key) => streamAt(keys, key).entries.length),
  XRANGE: range(false),
  XREVRANGE: range(true),
  XREAD: reads(-4, read),
  XDEL: writes(-3, (keys, key, ...ids) => {
    const stream = keys.read('stream', key)
    if (stream === undefined) return 0
    const wanted = ids.map((id) => parseId(id))
    return wanted.filter((id) => stream.delete(id)).length
  }),
  XTRIM: writes(-4, (keys, key, ...rest) => {
    const words = new Words(rest)
    const trimming = trimFrom(words)
    if (trimming === undefined || words.left > 0) throw syntaxError()
    const stream = keys.read('stream', key)
    return stream === undefined ? 0 : trim(stream, trimming)
  }),
  XSETID: writes(-3, setLastId),
}
