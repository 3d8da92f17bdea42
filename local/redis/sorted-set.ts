// A sorted set: scores by member, and the members in order of score, then of bytes.
import type { Bytes } from './bytes.ts'

export interface Scored {
  member: Bytes
  score: number
}

const before = (left: Scored, right: Scored) =>
  left.score < right.score || (left.score === right.score && left.member < right.member)

export class SortedSet {
  #scores = new Map<Bytes, number>()
  #ordered: Scored[] = []

  get size(): number {
    return this.#ordered.length
  }

  score(member: Bytes): number | undefined {
    return this.#scores.get(member)
  }

  set(member: Bytes, score: number): void {
    this.delete(member)
    const row = { member, score }
    this.#scores.set(member, score)
    this.#ordered.splice(this.#placeOf(row), 0, row)
  }

  delete(member: Bytes): boolean {
    const score = this.#scores.get(member)
    if (score === undefined) return false
    this.#ordered.splice(this.#placeOf({ member, score }), 1)
    return this.#scores.delete(member)
  }

  rank(member: Bytes): number | undefined {
    const score = this.#scores.get(member)
    return score === undefined ? undefined : this.#placeOf({ member, score })
  }

  slice(from = 0, to?: number): Scored[] {
    return this.#ordered.slice(from, to)
  }

  /** The place of the first row for which the test holds. It must hold for every row after that. */
  firstPlace(test: (row: Scored) => boolean): number {
    let low = 0
    let high = this.#ordered.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const row = this.#ordered[middle]
      if (row !== undefined && test(row)) high = middle
      else low = middle + 1
    }
    return low
  }

  copy(): SortedSet {
    const other = new SortedSet()
    other.#scores = new Map(this.#scores)
    other.#ordered = [...this.#ordered]
    return other
  }

  #placeOf(row: Scored): number {
    return this.firstPlace((other) => !before(other, row))
  }
}
