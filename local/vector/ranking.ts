// The best of many: highest score first, equal scores by id, so that the same query has the same answer.
import type { Row } from './row.ts'

export interface Match {
  readonly row: Row
  /** A 32-bit float: what is shown, and what is ranked by. */
  readonly score: number
}

export function byRank(a: Match, b: Match): number {
  return b.score - a.score || (a.row.id < b.row.id ? -1 : a.row.id > b.row.id ? 1 : 0)
}

/** Keeps at most twice the limit, and sorts only when that is full. */
export class Ranking {
  #limit: number
  #kept: Match[] = []
  /** Below it nothing comes among the best any more. */
  #least = Number.NEGATIVE_INFINITY

  constructor(limit: number) {
    this.#limit = limit
  }

  offer(row: Row, score: number): void {
    const rounded = Math.fround(score)
    if (rounded < this.#least) return
    this.#kept.push({ row, score: rounded })
    if (this.#kept.length >= 2 * this.#limit + 16) this.#cut()
  }

  best(): Match[] {
    this.#cut()
    return this.#kept
  }

  #cut(): void {
    this.#kept.sort(byRank)
    if (this.#kept.length < this.#limit) return
    this.#kept.length = this.#limit
    this.#least = this.#kept.at(-1)?.score ?? this.#least
  }
}
