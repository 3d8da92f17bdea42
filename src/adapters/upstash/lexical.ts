// Sparse vectors of words, for an index that is to find by words beside an embedding model of ours.
import { wordsIn } from '../../kernel/words.ts'

export interface SparseVector {
  readonly indices: number[]
  readonly values: number[]
}

const saturation = 1.2
const lengthShare = 0.75
const usualLength = 32

/** As BM25 weighs the words of a text; how rare they are is for the index to say. `undefined`: it has no words. */
export function textVector(text: string): SparseVector | undefined {
  const words = wordsIn(text)
  const length = 1 - lengthShare + (lengthShare * words.length) / usualLength
  return vectorOf(words, (count) => (count * (saturation + 1)) / (count + saturation * length))
}

export function queryVector(text: string): SparseVector | undefined {
  return vectorOf(wordsIn(text), () => 1)
}

/** An index of Upstash takes at most 1,000 of them. */
const mostWords = 1_000

function vectorOf(words: readonly string[], weigh: (count: number) => number): SparseVector | undefined {
  const counts = new Map<number, number>()
  for (const word of words) counts.set(placeOf(word), (counts.get(placeOf(word)) ?? 0) + 1)
  const entries = [...counts].slice(0, mostWords)
  if (entries.length === 0) return undefined
  return { indices: entries.map(([place]) => place), values: entries.map(([, count]) => weigh(count)) }
}

/** FNV-1a, to 31 bits. */
function placeOf(word: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(word)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash & 0x7fffffff
}
