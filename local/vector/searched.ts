// What queries see of a namespace: its rows, compared one by one, and for sparse vectors who has which index.
import type { IndexKind } from './index-kind.ts'
import { type Match, Ranking } from './ranking.ts'
import type { Row, Sparse } from './row.ts'
import { scorer } from './similarity.ts'

export interface Search {
  readonly limit: number
  readonly matches: (row: Row) => boolean
}

export class Searched {
  readonly rows = new Map<string, Row>()
  /** Index of a sparse vector → rows that have it, with their value there. Zeros are not kept. */
  #having = new Map<number, Map<Row, number>>()
  #sparseCount = 0

  put(row: Row): void {
    this.delete(row.id)
    this.rows.set(row.id, row)
    if (row.sparse === undefined) return
    this.#sparseCount += 1
    for (const [at, index] of row.sparse.indices.entries()) {
      const value = row.sparse.values[at] ?? 0
      if (value === 0) continue
      const having = this.#having.get(index)
      if (having === undefined) this.#having.set(index, new Map([[row, value]]))
      else having.set(row, value)
    }
  }

  delete(id: string): void {
    const row = this.rows.get(id)
    if (row === undefined) return
    this.rows.delete(id)
    if (row.sparse === undefined) return
    this.#sparseCount -= 1
    for (const index of row.sparse.indices) {
      const having = this.#having.get(index)
      having?.delete(row)
      if (having?.size === 0) this.#having.delete(index)
    }
  }

  dense(vector: Float32Array, similarity: IndexKind['similarity'], { limit, matches }: Search): Match[] {
    const score = scorer(similarity, vector)
    const ranking = new Ranking(limit)
    for (const row of this.rows.values()) {
      if (row.vector !== undefined && matches(row)) ranking.offer(row, score(row.vector, row.length))
    }
    return ranking.best()
  }

  /** Only rows that share an index with the query: inner product over those. */
  sparse({ indices, values }: Sparse, idf: boolean, { limit, matches }: Search): Match[] {
    const scores = new Map<Row, number>()
    for (const [at, index] of indices.entries()) {
      const having = this.#having.get(index)
      if (having === undefined) continue
      const weight = (values[at] ?? 0) * (idf ? this.#rarity(having.size) : 1)
      for (const [row, value] of having) scores.set(row, (scores.get(row) ?? 0) + weight * value)
    }
    const ranking = new Ranking(limit)
    for (const [row, score] of scores) if (matches(row)) ranking.offer(row, score)
    return ranking.best()
  }

  #rarity(having: number): number {
    return Math.log(1 + (this.#sparseCount - having + 0.5) / (having + 0.5))
  }
}
