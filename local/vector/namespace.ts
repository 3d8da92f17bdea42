// The rows of one namespace, and what queries see of them, which may lag behind: `fetch` and `range` read what was written,
// `query` what has been indexed.
import type { Row } from './row.ts'
import { Searched } from './searched.ts'

interface Unindexed {
  readonly writtenAt: number
  readonly id: string
  /** Undefined for a deletion. */
  readonly row: Row | undefined
}

export class Namespace {
  #rows = new Map<string, Row>()
  #searched = new Searched()
  /** Oldest first. */
  #waiting: Unindexed[] = []
  #next = 0

  get rows(): ReadonlyMap<string, Row> {
    return this.#rows
  }

  /** Of a row to be put: an id that is there keeps its place. */
  sequenceOf(id: string): number {
    return this.#rows.get(id)?.sequence ?? this.#next
  }

  put(row: Row, now: number): void {
    this.#next = Math.max(this.#next, row.sequence + 1)
    this.#rows.set(row.id, row)
    this.#waiting.push({ writtenAt: now, id: row.id, row })
  }

  delete(id: string, now: number): void {
    if (this.#rows.delete(id)) this.#waiting.push({ writtenAt: now, id, row: undefined })
  }

  /** What queries see of what was written before `until`. */
  searched(until: number): Searched {
    let indexed = 0
    for (const { writtenAt, id, row } of this.#waiting) {
      if (writtenAt > until) break
      if (row === undefined) this.#searched.delete(id)
      else this.#searched.put(row)
      indexed += 1
    }
    if (indexed > 0) this.#waiting.splice(0, indexed)
    return this.#searched
  }

  counts(until: number): { vectorCount: number; pendingVectorCount: number } {
    const { size } = this.searched(until)
    const pending = new Set(this.#waiting.filter(({ row }) => row !== undefined).map(({ id }) => id))
    return { vectorCount: size, pendingVectorCount: pending.size }
  }
}
