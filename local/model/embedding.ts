// Vectors of hashed words. NOT a real embedding: texts are near each other only if they share words, whatever they mean.
import { spelledWords } from '../../src/kernel/words.ts'
import { type EmbeddingRequest, embeddingModel } from './request.ts'
import { estimatedTokens } from './usage.ts'

export function embeddings({ input, dimensions = 256, encoding_format = 'float' }: EmbeddingRequest) {
  const texts = typeof input === 'string' ? [input] : input
  const tokens = texts.reduce((sum, text) => sum + estimatedTokens(text), 0)
  return {
    object: 'list',
    model: embeddingModel,
    data: texts.map((text, index) => {
      const vector = hashedWords(text, dimensions)
      return { object: 'embedding', index, embedding: encoding_format === 'base64' ? base64(vector) : [...vector] }
    }),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}

/** Each word adds or takes one at the place its hash says; then the whole is brought to length one. */
export function hashedWords(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions)
  const add = (word: string) => {
    const hash = fnv1a(word)
    const place = (hash >>> 1) % dimensions
    vector[place] = (vector[place] ?? 0) + (hash & 1 ? 1 : -1)
  }
  for (const word of spelledWords(text)) add(word)
  // No words, or words that cancelled each other: there is still a direction, and no division by zero.
  if (vector.every((value) => value === 0)) add(text)
  const length = Math.hypot(...vector)
  return vector.map((value) => value / length)
}

export function fnv1a(word: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(word)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** Little-endian 32-bit floats, as the official client decodes them. */
function base64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64')
}
