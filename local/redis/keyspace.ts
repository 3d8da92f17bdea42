// The keys: typed values, when they expire, and the clock and dice that commands may use.
import type { Bytes } from './bytes.ts'
import { wrongType } from './reply.ts'
import { SortedSet } from './sorted-set.ts'
import { Stream } from './stream.ts'

export interface Types {
  string: Bytes
  hash: Map<Bytes, Bytes>
  list: Bytes[]
  set: Set<Bytes>
  zset: SortedSet
  stream: Stream
}
export type TypeName = keyof Types

interface EntryOf<Name extends TypeName> {
  type: Name
  value: Types[Name]
  expiresAt: number | undefined
  /** Grows with every new key, so that a SCAN cursor still points somewhere after keys came and went. */
  order: number
}
export type Entry = { [Name in TypeName]: EntryOf<Name> }[TypeName]

const empty: { [Name in TypeName]: () => Types[Name] } = {
  string: () => '',
  hash: () => new Map(),
  list: () => [],
  set: () => new Set(),
  zset: () => new SortedSet(),
  stream: () => new Stream(),
}

const hasMembers = (entry: Entry): boolean => {
  if (entry.type === 'string' || entry.type === 'stream') return true
  return entry.type === 'list' ? entry.value.length > 0 : entry.value.size > 0
}

export class Keyspace {
  /** Milliseconds. It stands still while a command, a transaction or a script runs, as in Redis. */
  now = 0
  /** Set by a command whose effect was decided by chance: what the journal holds in its place (empty: nothing). */
  journalAs: Bytes[] | undefined
  random: () => number = Math.random
  #entries = new Map<Bytes, Entry>()
  #order = 0

  find(key: Bytes): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry?.expiresAt === undefined || entry.expiresAt > this.now) return entry
    this.#entries.delete(key)
    return undefined
  }

  read<Name extends TypeName>(type: Name, key: Bytes): Types[Name] | undefined {
    const entry = this.find(key)
    if (entry === undefined) return undefined
    if (entry.type !== type) throw wrongType()
    return entry.value as Types[Name]
  }

  /** Reads a collection, and makes an empty one where there is none: only for a command that then fills it. */
  open<Name extends Exclude<TypeName, 'string'>>(type: Name, key: Bytes): Types[Name] {
    return this.read(type, key) ?? this.write(type, key, empty[type]())
  }

  /** Replaces whatever was there, and its expiry. */
  write<Name extends TypeName>(type: Name, key: Bytes, value: Types[Name], expiresAt?: number): Types[Name] {
    const order = this.#entries.get(key)?.order ?? this.#order++
    this.#entries.set(key, { type, value, expiresAt, order } as Entry)
    return value
  }

  /** Replaces the value and keeps the expiry. */
  revise<Name extends TypeName>(type: Name, key: Bytes, value: Types[Name]): Types[Name] {
    return this.write(type, key, value, this.find(key)?.expiresAt)
  }

  /** Redis keeps no empty collections. Streams stay: their last id must not come twice. */
  dropIfEmpty(key: Bytes): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined && !hasMembers(entry)) this.#entries.delete(key)
  }

  delete(key: Bytes): boolean {
    return this.find(key) !== undefined && this.#entries.delete(key)
  }

  rename(from: Bytes, to: Bytes): void {
    const entry = this.find(from)
    if (entry === undefined || from === to) return
    this.#entries.delete(from)
    this.#entries.delete(to)
    this.#entries.set(to, { ...entry, order: this.#order++ })
  }

  clear(): void {
    this.#entries.clear()
  }

  /** Every live key, oldest first; expired ones are dropped on the way. */
  *entries(): Generator<[Bytes, Entry]> {
    for (const [key, entry] of this.#entries) {
      if (entry.expiresAt !== undefined && entry.expiresAt <= this.now) this.#entries.delete(key)
      else yield [key, entry]
    }
  }
}
