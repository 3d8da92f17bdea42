// How near two dense vectors are, brought to 0..1 as Upstash does. Computed in 64 bits and rounded once: with 32 all the way
// a vector would score 0.99999994 against itself.
import type { IndexKind } from './index-kind.ts'

/** Of a vector and its length, which are as long as the query. A vector of length zero has no direction: its cosine is 0. */
export function scorer(
  similarity: IndexKind['similarity'],
  vector: Float32Array,
): (vector: Float32Array, length: number) => number {
  const query = Float64Array.from(vector)
  switch (similarity) {
    case 'COSINE': {
      const queryLength = Math.sqrt(dot(vector, query))
      return (one, length) => {
        const lengths = queryLength * length
        return (1 + (lengths === 0 ? 0 : dot(one, query) / lengths)) / 2
      }
    }
    case 'DOT_PRODUCT':
      return (one) => (1 + dot(one, query)) / 2
    case 'EUCLIDEAN':
      return (one) => 1 / (1 + squaredDistance(one, query))
  }
}

/**
 * Four sums that do not wait for each other: half again as fast as one. Places are within bounds, and said to be (`as number`):
 * a `?? 0` at each makes a query three times as slow.
 */
function dot(vector: Float32Array, query: Float64Array): number {
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  let at = 0
  for (const end = query.length & ~3; at < end; at += 4) {
    a += (vector[at] as number) * (query[at] as number)
    b += (vector[at + 1] as number) * (query[at + 1] as number)
    c += (vector[at + 2] as number) * (query[at + 2] as number)
    d += (vector[at + 3] as number) * (query[at + 3] as number)
  }
  for (; at < query.length; at++) a += (vector[at] as number) * (query[at] as number)
  return a + b + c + d
}

function squaredDistance(vector: Float32Array, query: Float64Array): number {
  let even = 0
  let odd = 0
  let at = 0
  for (const end = query.length & ~1; at < end; at += 2) {
    even += ((vector[at] as number) - (query[at] as number)) ** 2
    odd += ((vector[at + 1] as number) - (query[at + 1] as number)) ** 2
  }
  for (; at < query.length; at++) even += ((vector[at] as number) - (query[at] as number)) ** 2
  return even + odd
}
