// Plain BM25 in one process, with stemming and without stop words: what search by words should reach.
import { stems } from '../local/vector/words.ts'
import type { MemoryItem } from './memory-data.ts'

const saturation = 1.2
const lengthShare = 0.75

export type Ranked = (query: string, limit: number) => readonly string[]

/** Gives the ids of the items, the best first. Rarity and the usual length are those of these items. */
export function bm25(items: readonly MemoryItem[]): Ranked {
  const texts = items.map(({ id, text }) => ({ id, words: stems(text) }))
  const usual = texts.reduce((sum, { words }) => sum + words.length, 0) / texts.length
  const having = new Map<string, Map<string, number>>()
  for (const { id, words } of texts) {
    const slowness = saturation * (1 - lengthShare + (lengthShare * words.length) / usual)
    for (const [word, all] of Map.groupBy(words, (word) => word)) {
      const weights = having.get(word) ?? new Map<string, number>()
      having.set(word, weights.set(id, (all.length * (saturation + 1)) / (all.length + slowness)))
    }
  }
  return (query, limit) => {
    const scores = new Map<string, number>()
    for (const word of new Set(stems(query))) {
      const weights = having.get(word) ?? new Map<string, number>()
      const rarity = Math.log(1 + (texts.length - weights.size + 0.5) / (weights.size + 0.5))
      for (const [id, weight] of weights) scores.set(id, (scores.get(id) ?? 0) + rarity * weight)
    }
    const best = [...scores].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))
    return best.slice(0, limit).map(([id]) => id)
  }
}
