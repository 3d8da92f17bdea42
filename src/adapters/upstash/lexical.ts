// Sparse vectors of words, English ones by their stems, for an index that finds by words.
import { stem } from 'porter2'
import { spelledWords } from '../../kernel/words.ts'
import type { Nearby } from '../../ports/store.ts'

export interface SparseVector {
  readonly indices: number[]
  readonly values: number[]
}

/** Measured on memories of a sentence or two: docs/benchmarks.md. */
const saturation = 1.2
const lengthShare = 0.4
const usualLength = 32
/** Of a word that was said beside the text, and not in it. */
const shareBefore = 0.4
const shareAfter = 0.25

/** As BM25 weighs the words of a text; how rare they are is for the index to say. `undefined`: it has no words. */
export function textVector(text: string, { before = '', after = '' }: Nearby = {}): SparseVector | undefined {
  const counts = new Map<number, number>()
  let length = 0
  const count = (words: readonly string[], share: number) => {
    for (const word of words) counts.set(placeOf(word), (counts.get(placeOf(word)) ?? 0) + share)
    length += words.length * share
  }
  count(wordsOf(text), 1)
  count(wordsOf(before), shareBefore)
  count(wordsOf(after), shareAfter)
  const slowness = saturation * (1 - lengthShare + (lengthShare * length) / usualLength)
  return vectorOf([...counts].map(([place, times]) => [place, (times * (saturation + 1)) / (times + slowness)]))
}

export function queryVector(text: string): SparseVector | undefined {
  return vectorOf([...new Set(wordsOf(text).map(placeOf))].map((place) => [place, 1]))
}

/** An index of Upstash takes at most 1,000 of them. */
const mostWords = 1_000

function vectorOf(weighed: readonly (readonly [place: number, weight: number])[]): SparseVector | undefined {
  if (weighed.length === 0) return undefined
  const kept = weighed.toSorted(([, one], [, other]) => other - one).slice(0, mostWords)
  return { indices: kept.map(([place]) => place), values: kept.map(([, weight]) => weight) }
}

/** They say nothing of what a text is about. */
const unsaid = new Set(
  `a about above after again against all am an and any are as at be because been before being below between both but by
   can could did do does doing down during each few for from further had has have having he her here hers herself him
   himself his how i if in into is it its itself just me more most my myself no nor not now of off on once only or other
   our ours ourselves out over own same she should so some such than that the their theirs them themselves then there
   these they this those through to too under until up very was we were what when where which while who whom why will
   with would you your yours yourself yourselves`.split(/\s+/),
)
/** Stems in the order of the text; without what says nothing, unless it says nothing else. */
function wordsOf(text: string): readonly string[] {
  const words = spelledWords(text)
  const telling = words.filter((word) => !unsaid.has(word))
  return (telling.length === 0 ? words : telling).map(stem)
}

const encoder = new TextEncoder()

/** FNV-1a, to 31 bits. */
function placeOf(word: string): number {
  let hash = 0x811c9dc5
  for (const byte of encoder.encode(word)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash & 0x7fffffff
}
