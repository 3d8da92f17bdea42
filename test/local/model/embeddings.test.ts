// The models the server lists and the vectors it makes.
import type OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scriptedModel } from '../../../local/model/server.ts'
import type { StandIn } from '../../../local/stand-in.ts'
import { clientOf, post } from './client.ts'

let server: StandIn
let client: OpenAI

beforeAll(async () => {
  server = await scriptedModel({ chunkDelayMs: 0 })
  client = clientOf(server)
})
afterAll(() => server.close())

describe('models and embeddings', () => {
  test('both models are listed', async () => {
    const { data } = await client.models.list()
    expect(data.map(({ id, owned_by }) => [id, owned_by])).toEqual([
      ['scripted-1', 'scripted'],
      ['scripted-embedding-1', 'scripted'],
    ])
    expect(await client.models.retrieve('scripted-1')).toEqual(data[0])
  })

  const embed = (input: string | string[], rest: { dimensions?: number; encoding_format?: 'float' | 'base64' } = {}) =>
    client.embeddings.create({ model: 'scripted-embedding-1', input, ...rest })

  test('vectors are of unit length, and the same for the same text', async () => {
    const { data, usage } = await embed(['green tea', 'green tea', '!!!', 'a b c d e f'])
    const vectors = data.map(({ embedding }) => embedding)
    for (const vector of vectors) {
      expect(vector).toHaveLength(256)
      expect(Math.hypot(...vector)).toBeCloseTo(1, 5)
    }
    expect(vectors[1]).toEqual(vectors[0])
    expect(data.map(({ index }) => index)).toEqual([0, 1, 2, 3])
    expect(usage).toEqual({ prompt_tokens: 10, total_tokens: 10 })
  })

  test('texts that share words are nearer than texts that do not', async () => {
    const { data } = await embed(['Ada prefers green tea', 'who prefers green tea?', 'the bicycle has a flat tyre'])
    const [tea = [], question = [], bicycle = []] = data.map(({ embedding }) => embedding)
    const cosine = (left: number[], right: number[]) =>
      left.reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0)
    expect(cosine(tea, question)).toBeGreaterThan(0.6)
    expect(cosine(tea, bicycle)).toBeLessThan(0.3)
  })

  test('floats and base64 are the same vector, of the dimensions asked for', async () => {
    const floats = await embed('green tea', { dimensions: 8, encoding_format: 'float' })
    // Without an encoding the client asks for base64 and decodes it.
    const decoded = await embed('green tea', { dimensions: 8 })
    expect(floats.data[0]?.embedding).toHaveLength(8)
    expect([...(decoded.data[0]?.embedding ?? [])]).toEqual(floats.data[0]?.embedding)
  })

  test.each([
    [{ input: '' }, 'input'],
    [{ input: [1, 2, 3] }, 'input'],
    [{ input: 'a', dimensions: 0 }, 'dimensions'],
    [{ input: 'a', encoding_format: 'hex' }, 'encoding_format'],
  ])('%j is a 400 that names the field', async (fields, param) => {
    expect(await post(server, '/embeddings', { model: 'scripted-embedding-1', ...fields })).toMatchObject({
      status: 400,
      body: { error: { param } },
    })
  })
})
