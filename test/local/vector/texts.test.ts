// Texts that an index embeds itself, through the real @upstash/vector client: they are found by their words and kept whole.
import { QueryMode, WeightingStrategy } from '@upstash/vector'
import { beforeEach, describe, expect, it } from 'vitest'
import { embedding, ids, sparse, start } from './indexes.ts'

describe('texts that the index embeds', () => {
  const texts = {
    tea: 'Ada prefers green tea in the mornings.',
    deploy: 'The team deploys the billing service on Fridays.',
    cat: 'Her cats are called Turing and Hopper.',
  }
  beforeEach(() => embedding.upsert(Object.entries(texts).map(([id, data]) => ({ id, data, metadata: { id } }))))

  it.each(Object.values(QueryMode))('are found by stems, without stop words: %s', async (queryMode) => {
    const best = async (data: string) => ids(await embedding.query({ data, topK: 1, queryMode }))
    expect(await best('green tea')).toEqual(['tea'])
    if (queryMode !== QueryMode.DENSE) {
      expect(await best('deploying services')).toEqual(['deploy'])
      expect(await best('what is the cat called?')).toEqual(['cat'])
    }
    expect(await embedding.query({ data: 'the and of', topK: 5, queryMode: QueryMode.SPARSE })).toEqual([])
  })

  it('a short text that has a rare word twice beats a long one that has it once', async () => {
    await sparse.upsert([
      { id: 'once', data: `${'filler word stuffing '.repeat(20)} espresso` },
      { id: 'twice', data: 'espresso, espresso' },
      ...Array.from({ length: 5 }, (_, at) => ({ id: `other ${at}`, data: 'filler coffee' })),
    ])
    const found = await sparse.query({ data: 'espresso filler', topK: 2, weightingStrategy: WeightingStrategy.IDF })
    expect(found[0]?.id).toBe('twice')
  })

  it('keep their data and metadata, and their vectors can be read', async () => {
    const [row] = await embedding.fetch(['tea'], { includeData: true, includeMetadata: true, includeVectors: true })
    expect(row).toMatchObject({ id: 'tea', data: texts.tea, metadata: { id: 'tea' } })
    expect(row?.vector).toHaveLength(64)
    // ada, prefer, green, tea, morn
    expect(row?.sparseVector?.indices).toHaveLength(5)
  })

  it('are refused where the index has no models', async () => {
    const { index } = await start('hybrid/2', { embeds: false })
    const problem = 'Embedding data for this index is not allowed.'
    await expect(index.upsert({ id: 'a', data: 'x' })).rejects.toThrow(problem)
    await expect(index.query({ data: 'x', topK: 1 })).rejects.toThrow(problem)
    expect((await index.info()).sparseIndex).toEqual({})
  })
})
