// The name of a kind of index, as `npm run dev -- --index` takes it.
import { expect, it } from 'vitest'
import { indexKindOf, kindName } from '../../../local/vector/index-kind.ts'

it.each([
  ['hybrid', 'hybrid/256/cosine'],
  ['Dense/1536', 'dense/1536/cosine'],
  ['hybrid/3072/dot_product', 'hybrid/3072/dot_product'],
  ['dense/2/EUCLIDEAN', 'dense/2/euclidean'],
  ['sparse', 'sparse'],
])('%s is %s', (given, name) => {
  expect(kindName(indexKindOf(given))).toBe(name)
  expect(indexKindOf(name)).toEqual(indexKindOf(given))
})

it.each([
  '',
  'other',
  'sparse/2',
  'dense/0',
  'dense/1.5',
  'dense/x',
  'dense/2/other',
  'dense/2/cosine/more',
  'dense//cosine',
])('%j is none', (given) => {
  expect(() => indexKindOf(given)).toThrow(`'${given}' is no kind of index. Say sparse, or dense or hybrid`)
})
