// English texts as sparse vectors: words, stop words, stems, and the weights of BM25.
import { describe, expect, it } from 'vitest'
import { documentWords, queryWords, stems } from '../../../local/vector/words.ts'

describe('stems', () => {
  it.each([
    ['I prefer the dark roast.', ['prefer', 'dark', 'roast']],
    ['preferences, PREFERRED; preferring', ['prefer', 'prefer', 'prefer']],
    ['She deploys on Fridays; we deployed and are deploying.', ['deploy', 'friday', 'deploy', 'deploy']],
    ["Ada's cats don't like it’s smell", ['ada', 'cat', 'like', 'smell']],
    ['order A1-77, v2.0', ['order', 'a1', '77', 'v2', '0']],
    ['Café crème, 東京', ['café', 'crème', '東京']],
    ['ﬁne １２', ['fine', '12']],
    ['', []],
    ['?!… the and of', []],
  ])('%j', (text, expected) => expect(stems(text)).toEqual(expected))
})

describe('weights', () => {
  const weight = (count: number, words: number) => (count * 2.2) / (count + 1.2 * (0.25 + (0.75 * words) / 32))

  it('are those of BM25 with k1 1.2, b 0.75 and an average length of 32', () => {
    const { indices, values } = documentWords('tea tea coffee')
    const of = (word: string) => values[indices.indexOf(queryWords(word).indices[0] ?? 0)]
    expect(of('tea')).toBeCloseTo(weight(2, 3), 6)
    expect(of('coffee')).toBeCloseTo(weight(1, 3), 6)
  })

  it('in a query each word counts once, and an index is a positive 32-bit integer, always the same', () => {
    const query = queryWords('tea teas coffee')
    expect([...query.values]).toEqual([1, 1])
    expect(query).toEqual(queryWords('coffee tea'))
    expect(query.indices.every((index) => index > 0)).toBe(true)
  })

  it('a long text keeps its 1,000 heaviest words', () => {
    const text = `${Array.from({ length: 1_500 }, (_, at) => `word${at}`).join(' ')} heavy heavy`
    const { indices } = documentWords(text)
    expect(indices).toHaveLength(1_000)
    expect(indices).toContain(queryWords('heavy').indices[0])
  })
})
