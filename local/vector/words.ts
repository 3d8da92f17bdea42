// English text as a sparse vector, as Upstash's BM25 model makes one: words, without stop words, stemmed, weighted by how
// often they come and how long the text is. How rare a word is is the index' to say (`weightingStrategy: IDF`).
import { stem } from 'porter2'
import { fnv1a } from '../model/embedding.ts'
import type { Sparse } from './row.ts'

const k1 = 1.2
const b = 0.75
const averageLength = 32
/** Upstash's limit of a sparse vector. */
export const mostIndices = 1_000

const stopWords = new Set(
  `a about above after again against all am an and any are as at be because been before being below between both but by
   can could did do does doing down during each few for from further had has have having he her here hers herself him
   himself his how i if in into is it its itself just me more most my myself no nor not now of off on once only or other
   our ours ourselves out over own same she should so some such than that the their theirs them themselves then there
   these they this those through to too under until up very was we were what when where which while who whom why will
   with would you your yours yourself yourselves
   i'm i've i'd i'll you're you've you'd you'll he's he'd he'll she's she'd she'll it's it'd it'll we're we've we'd we'll
   they're they've they'd they'll that's who's what's here's there's when's where's why's how's let's isn't aren't wasn't
   weren't haven't hasn't hadn't don't doesn't didn't won't wouldn't can't couldn't shouldn't`.split(/\s+/),
)

/** Stems in the order of the text. */
export function stems(text: string): string[] {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .replaceAll('’', "'")
      .match(/[\p{L}\p{N}]+(?:'\p{L}+)*/gu) ?? []
  return words.filter((word) => !stopWords.has(word)).map(stem)
}

export function documentWords(text: string): Sparse {
  const all = stems(text)
  const counts = new Map<number, number>()
  for (const word of all) counts.set(indexOf(word), (counts.get(indexOf(word)) ?? 0) + 1)
  const slowness = k1 * (1 - b + (b * all.length) / averageLength)
  const weighted = [...counts].map(([index, count]) => [index, (count * (k1 + 1)) / (count + slowness)] as const)
  return sparse(weighted.sort(([, one], [, other]) => other - one).slice(0, mostIndices))
}

/** Each word counts once. */
export function queryWords(text: string): Sparse {
  return sparse([...new Set(stems(text).map(indexOf))].slice(0, mostIndices).map((index) => [index, 1]))
}

/** A signed 32-bit integer, as Upstash wants it. Of a hundred thousand words some two pairs share one. */
const indexOf = (word: string) => fnv1a(word) >>> 1

function sparse(entries: readonly (readonly [index: number, value: number])[]): Sparse {
  const sorted = entries.toSorted(([one], [other]) => one - other)
  return {
    indices: Int32Array.from(sorted, ([index]) => index),
    values: Float32Array.from(sorted, ([, value]) => value),
  }
}
