// A stream: entries under ids that only grow, and the reading of ids.
import type { Bytes } from './bytes.ts'
import { ReplyError } from './reply.ts'

/** `<milliseconds>-<sequence>` as one number: ids compare and step like integers. */
export type StreamId = bigint

export interface StreamEntry {
  id: StreamId
  /** Field, value, field, value. */
  fields: Bytes[]
}

const sequenceBits = 64n
export const maxSequence = 2n ** sequenceBits - 1n
export const maxStreamId: StreamId = 2n ** (2n * sequenceBits) - 1n

export const streamId = (ms: bigint, sequence: bigint): StreamId => (ms << sequenceBits) | sequence
export const millisecondsOf = (id: StreamId): bigint => id >> sequenceBits
export const formatId = (id: StreamId): Bytes => `${id >> sequenceBits}-${id & maxSequence}`

const invalidId = () => new ReplyError('ERR Invalid stream ID specified as stream command argument')

function unsigned(text: string | undefined): bigint {
  if (text === undefined || !/^\d{1,20}$/.test(text) || BigInt(text) > maxSequence) throw invalidId()
  return BigInt(text)
}

/** An id without a sequence gets the one given: 0 at the start of a range, the highest at its end. */
export function parseId(text: Bytes, sequence = 0n): StreamId {
  const dash = text.indexOf('-')
  if (dash < 0) return streamId(unsigned(text), sequence)
  return streamId(unsigned(text.slice(0, dash)), unsigned(text.slice(dash + 1)))
}

export class Stream {
  entries: StreamEntry[] = []
  lastId: StreamId = 0n

  /** The place of the first entry at or after an id. */
  placeOf(id: StreamId): number {
    let low = 0
    let high = this.entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const entry = this.entries[middle]
      if (entry !== undefined && entry.id < id) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Both ends count. */
  range(from: StreamId, to: StreamId): StreamEntry[] {
    return this.entries.slice(this.placeOf(from), this.placeOf(to + 1n))
  }

  append(entry: StreamEntry): void {
    this.entries.push(entry)
    this.lastId = entry.id
  }

  delete(id: StreamId): boolean {
    const place = this.placeOf(id)
    if (this.entries[place]?.id !== id) return false
    this.entries.splice(place, 1)
    return true
  }

  copy(): Stream {
    const other = new Stream()
    other.entries = [...this.entries]
    other.lastId = this.lastId
    return other
  }
}
