// Dense vectors by place, one after the other in blocks of memory.
import type { Row } from './row.ts'

const perBlock = 1_024

export class Vectors {
  #blocks: Float32Array[] = []
  /** Euclidean lengths; -1 where there is no vector. */
  #lengths: number[] = []
  #dimension = 0

  set(place: number, { vector, length }: Row): void {
    this.#lengths[place] = vector === undefined ? -1 : length
    if (vector === undefined) return
    // All of an index have as many numbers.
    this.#dimension = vector.length
    const at = Math.floor(place / perBlock)
    const block = this.#blocks[at] ?? new Float32Array(perBlock * this.#dimension)
    this.#blocks[at] = block
    block.set(vector, this.start(place))
  }

  has(place: number): boolean {
    return this.length(place) >= 0
  }

  length(place: number): number {
    return this.#lengths[place] ?? -1
  }

  /** Where the vector lies, and from which number on. */
  block(place: number): Float32Array {
    return this.#blocks[Math.floor(place / perBlock)] ?? none
  }

  start(place: number): number {
    return (place % perBlock) * this.#dimension
  }
}

const none = new Float32Array()
