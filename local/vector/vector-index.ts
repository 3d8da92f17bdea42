// An index: its namespaces, and every change of them as a value that can be written down and done again.
import type { IndexKind } from './index-kind.ts'
import { Namespace } from './namespace.ts'
import { type Row, type RowContent, restored, rowOf, type StoredRow, stored } from './row.ts'
import { VectorError } from './vector-error.ts'

export type Change =
  | { do: 'create'; kind: IndexKind }
  | { do: 'upsert'; namespace: string; rows: StoredRow[] }
  | { do: 'delete'; namespace: string; ids: string[] }
  | { do: 'reset'; namespace: string }
  | { do: 'drop'; namespace: string }

type Removal = Exclude<Change, { do: 'create' | 'upsert' }>

const rowsPerChange = 100
const longAgo = Number.NEGATIVE_INFINITY

/** Always there, and cannot be dropped. */
const defaultNamespace = ''

export class VectorIndex {
  #kind: IndexKind
  #namespaces = new Map<string, Namespace>([[defaultNamespace, new Namespace()]])
  #clock: () => number
  /** Called after each change was done. */
  onChange: ((change: Change) => void) | undefined
  /** Milliseconds after which queries see what was written. */
  delayMs: () => number = () => 0

  constructor({ kind, clock = Date.now }: { kind: IndexKind; clock?: () => number }) {
    this.#kind = kind
    this.#clock = clock
  }

  get kind(): IndexKind {
    return this.#kind
  }

  get namespaces(): ReadonlyMap<string, Namespace> {
    return this.#namespaces
  }

  rows(namespace: string): ReadonlyMap<string, Row> {
    return this.#namespaces.get(namespace)?.rows ?? new Map()
  }

  searched(namespace: string) {
    return this.#namespaces.get(namespace)?.searched(this.#visibleUntil())
  }

  counts() {
    const counts = [...this.#namespaces].map(([name, one]) => [name, one.counts(this.#visibleUntil())] as const)
    return Object.fromEntries(counts)
  }

  /** Makes the namespace where there is none. A later row with the same id wins. */
  upsert(namespace: string, contents: readonly RowContent[]): void {
    const into = this.#made(namespace)
    const rows = contents.map((content) => {
      const row = rowOf(content, into.sequenceOf(content.id))
      into.put(row, this.#clock())
      return row
    })
    // What is due is indexed now and not at the next query, else rows that were replaced would pile up until then.
    this.searched(namespace)
    this.onChange?.({ do: 'upsert', namespace, rows: rows.map(stored) })
  }

  /** How many there were. */
  delete(namespace: string, ids: readonly string[]): number {
    const rows = this.rows(namespace)
    const there = [...new Set(ids)].filter((id) => rows.has(id))
    if (there.length > 0) this.#do({ do: 'delete', namespace, ids: there })
    return there.length
  }

  /** Empties it, for queries too at once. */
  reset(namespace: string): void {
    if (this.#namespaces.has(namespace)) this.#do({ do: 'reset', namespace })
  }

  drop(namespace: string): void {
    if (namespace === defaultNamespace) throw new VectorError(400, 'The default namespace cannot be deleted')
    if (!this.#namespaces.has(namespace))
      throw new VectorError(404, `Namespace ${namespace} for the index local does not exist`)
    this.#do({ do: 'drop', namespace })
  }

  /** A change that was written down. What it wrote is seen at once: whoever reads it back does so later. */
  replay(change: Change): void {
    switch (change.do) {
      case 'create':
        this.#kind = change.kind
        break
      case 'upsert': {
        const into = this.#made(change.namespace)
        for (const row of change.rows) into.put(restored(row), longAgo)
        this.searched(change.namespace)
        break
      }
      default:
        this.#apply(change, longAgo)
    }
  }

  *snapshot(): Generator<Change> {
    yield { do: 'create', kind: this.#kind }
    for (const [namespace, { rows }] of this.#namespaces) {
      const all = [...rows.values()].map(stored)
      // An empty one is a line too, else it would be gone.
      for (let at = 0; at === 0 || at < all.length; at += rowsPerChange)
        yield { do: 'upsert', namespace, rows: all.slice(at, at + rowsPerChange) }
    }
  }

  #visibleUntil(): number {
    return this.#clock() - this.delayMs()
  }

  #made(namespace: string): Namespace {
    const there = this.#namespaces.get(namespace)
    if (there !== undefined) return there
    const made = new Namespace()
    this.#namespaces.set(namespace, made)
    return made
  }

  #do(change: Removal): void {
    this.#apply(change, this.#clock())
    this.onChange?.(change)
  }

  #apply(change: Removal, now: number): void {
    switch (change.do) {
      case 'delete':
        for (const id of change.ids) this.#namespaces.get(change.namespace)?.delete(id, now)
        this.searched(change.namespace)
        break
      case 'reset':
        this.#namespaces.set(change.namespace, new Namespace())
        break
      case 'drop':
        this.#namespaces.delete(change.namespace)
        break
      default:
        throw new Error('Not a change of a vector index.')
    }
  }
}
