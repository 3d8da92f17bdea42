// The embedding adapter: the real client against the scripted service.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { scriptedModel } from '../../../local/model/server.ts'
import type { StandIn } from '../../../local/stand-in.ts'
import { openaiEmbedder } from '../../../src/adapters/openai/index.ts'

let service: StandIn
beforeAll(async () => {
  service = await scriptedModel({ apiKey: 'right' })
})
afterAll(() => service.close())

const embedderOf = (change: { apiKey?: string; model?: string; dimensions?: number; timeoutMs?: number } = {}) => {
  const usual = { apiKey: 'right', model: 'scripted-embedding-1', dimensions: 256, retries: 0 }
  return openaiEmbedder({ ...usual, baseUrl: `${service.url}/v1`, ...change })
}

test('many texts come back in their order, in a few requests', async () => {
  const texts = Array.from({ length: 150 }, (_, n) => `text number${n}`)
  const vectors = await embedderOf().embed(texts)
  const [alone] = await embedderOf().embed(['text number131'])
  expect(vectors).toHaveLength(150)
  expect(vectors[131]).toEqual(alone)
  expect(vectors[132]).not.toEqual(alone)
  expect(await embedderOf().embed([])).toEqual([])
})

test('a text without words is embedded too', async () => {
  const [empty, spaces] = await embedderOf().embed(['', '  '])
  expect([empty?.length, spaces?.length]).toEqual([256, 256])
})

test('a text that the model would refuse as too long is embedded by its beginning, of whole letters', async () => {
  const sent: string[] = []
  const fetch = async (_: unknown, init?: { body?: unknown }) => {
    const { input } = JSON.parse(String(init?.body)) as { input: string[] }
    sent.push(...input)
    return Response.json({ data: input.map((_, index) => ({ index, embedding: 'AACAPw==' })) })
  }
  const embedder = openaiEmbedder({ apiKey: 'k', model: 'm', dimensions: 1, fetch })
  await embedder.embed(['語'.repeat(16_000), 'x'.repeat(8_000), `${' '.repeat(9_000)}x`, '\ud83d'.repeat(9_000)])
  expect(sent).toEqual(['語'.repeat(2_666), 'x'.repeat(8_000), '-', '\ud83d'.repeat(2_666)])
})

test('vectors of another length are refused, with both named', async () => {
  const embedding = embedderOf({ dimensions: 1536 }).embed(['a'])
  await expect(embedding).rejects.toMatchObject({ code: 'model_refused', message: expect.stringMatching(/256.*1536/) })
})

test('a wrong key is refused; a service that is slow, or an abort, ends the wait', async () => {
  await expect(embedderOf({ apiKey: 'wrong' }).embed(['a'])).rejects.toMatchObject({ code: 'model_refused' })
  service.knobs.fault = 'hang'
  try {
    await expect(embedderOf({ timeoutMs: 50 }).embed(['a'])).rejects.toMatchObject({ code: 'model_failed' })
    const signal = AbortSignal.timeout(50)
    await expect(embedderOf().embed(['a'], { signal })).rejects.toMatchObject({ name: 'TimeoutError' })
  } finally {
    service.knobs.fault = 'none'
  }
})
