// What queries see of a namespace. Each row has a place, and what is compared lies by place and not by row: all is compared, so what
// counts is how fast it is read, and how little there is for the garbage collector to follow.
import type { Only } from './filter.ts'
import { valueAt } from './filter-path.ts'
import type { IndexKind } from './index-kind.ts'
import { type Match, Ranking } from './ranking.ts'
import type { Row, Sparse } from './row.ts'
import { scorer } from './similarity.ts'
import { Vectors } from './vectors.ts'

export interface Search {
  readonly limit: number
  readonly matches: (row: Row) => boolean
  /** What every match has: then others need not be looked at. */
  readonly only?: Only | undefined
}

/** Who has an index of a sparse vector, and with which value. Places whose rows are gone stay in it; `live` counts the others. */
interface Having {
  readonly places: number[]
  readonly values: number[]
  live: number
}

/** So many places of rows that are gone are put up with, beside as many as there are rows. */
const slack = 1_000

export class Searched {
  #places = new Map<string, number>()
  /** By place; undefined where the row is gone. */
  #rows: (Row | undefined)[] = []
  #vectors = new Vectors()
  #having = new Map<number, Having>()
  /** Field → text → places that have it. Of fields that were asked for. */
  #fields = new Map<string, Map<string, number[]>>()
  #sparseCount = 0

  get size(): number {
    return this.#places.size
  }

  put(row: Row): void {
    this.delete(row.id)
    const place = this.#rows.push(row) - 1
    this.#places.set(row.id, place)
    this.#vectors.set(place, row)
    for (const [field, places] of this.#fields) note(places, field, row, place)
    if (row.sparse === undefined) return
    this.#sparseCount += 1
    for (const [index, value] of parts(row.sparse)) {
      const having = this.#having.get(index) ?? { places: [], values: [], live: 0 }
      this.#having.set(index, having)
      having.places.push(place)
      having.values.push(value)
      having.live += 1
    }
  }

  delete(id: string): void {
    const place = this.#places.get(id)
    const row = place === undefined ? undefined : this.#rows[place]
    if (place === undefined || row === undefined) return
    this.#places.delete(id)
    this.#rows[place] = undefined
    if (row.sparse !== undefined) {
      this.#sparseCount -= 1
      for (const [index] of parts(row.sparse)) {
        const having = this.#having.get(index)
        if (having !== undefined) having.live -= 1
      }
    }
    if (this.#rows.length > 2 * this.size + slack) this.#tidy()
  }

  dense(vector: Float32Array, similarity: IndexKind['similarity'], { limit, matches, only }: Search): Match[] {
    const score = scorer(similarity, vector)
    const ranking = new Ranking(limit)
    for (const place of this.#among(only)) {
      const row = this.#rows[place]
      if (row === undefined || !this.#vectors.has(place) || !matches(row)) continue
      ranking.offer(row, score(this.#vectors.block(place), this.#vectors.start(place), this.#vectors.length(place)))
    }
    return ranking.best()
  }

  /** Only rows that share an index with the query: inner product over those. */
  sparse({ indices, values }: Sparse, idf: boolean, { limit, matches, only }: Search): Match[] {
    const scores = new Float64Array(this.#rows.length)
    const shares = new Uint8Array(this.#rows.length)
    for (const [at, index] of indices.entries()) {
      const having = this.#having.get(index)
      if (having === undefined || having.live === 0) continue
      const weight = (values[at] ?? 0) * (idf ? this.#rarity(having.live) : 1)
      for (const [nth, place] of having.places.entries()) {
        scores[place] = (scores[place] ?? 0) + weight * (having.values[nth] ?? 0)
        shares[place] = 1
      }
    }
    const ranking = new Ranking(limit)
    for (const place of this.#among(only)) {
      const row = shares[place] === 1 ? this.#rows[place] : undefined
      if (row !== undefined && matches(row)) ranking.offer(row, scores[place] ?? 0)
    }
    return ranking.best()
  }

  #among(only: Only | undefined): Iterable<number> {
    if (only === undefined) return this.#rows.keys()
    let places = this.#fields.get(only.field)
    if (places === undefined) {
      places = new Map()
      this.#fields.set(only.field, places)
      for (const [place, row] of this.#rows.entries()) if (row !== undefined) note(places, only.field, row, place)
    }
    return places.get(only.text) ?? []
  }

  #rarity(having: number): number {
    return Math.log(1 + (this.#sparseCount - having + 0.5) / (having + 0.5))
  }

  #tidy(): void {
    const rows = this.#rows
    this.#places = new Map()
    this.#rows = []
    this.#vectors = new Vectors()
    this.#having = new Map()
    this.#fields = new Map()
    this.#sparseCount = 0
    for (const row of rows) if (row !== undefined) this.put(row)
  }
}

/** Zeros are as if they were not there. */
function parts({ indices, values }: Sparse): [index: number, value: number][] {
  return Array.from(indices, (index, at): [number, number] => [index, values[at] ?? 0]).filter(
    ([, value]) => value !== 0,
  )
}

function note(places: Map<string, number[]>, field: string, { metadata }: Row, place: number): void {
  const text = valueAt(metadata, [field])
  if (typeof text !== 'string') return
  const having = places.get(text)
  if (having === undefined) places.set(text, [place])
  else having.push(place)
}
