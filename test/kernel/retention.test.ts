// How long items live by their namespace: what is no such rule is refused before a store keeps anything by it.
import { expect, test } from 'vitest'
import { memoryStore } from '../../src/adapters/memory/index.ts'
import { neonStore } from '../../src/adapters/neon/index.ts'

const sql = { query: async () => [] }
const stores = [
  (retention: readonly unknown[]) => memoryStore({ retention: retention as never }),
  (retention: readonly unknown[]) => neonStore(sql as never, { retention: retention as never }),
]

test('a time that is none, and a namespace that is none, are refused where the store is made', () => {
  for (const make of stores) {
    for (const ttlMs of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '90', undefined, 4e12]) {
      expect(() => make([{ namespace: ['team'], ttlMs }])).toThrow(
        'In the retention of ["team"] the time to live must be a number of milliseconds',
      )
    }
    for (const namespace of ['team', [''], [3]]) {
      expect(() => make([{ namespace, ttlMs: 1 }])).toThrow('must be an array')
    }
    expect(() => make([{ namespace: ['users', '{user}'], ttlMs: 1 }])).toThrow('{user}')
    expect(() =>
      make([
        { namespace: [], ttlMs: null },
        { namespace: ['team'], ttlMs: 86_400_000 },
      ]),
    ).not.toThrow()
  }
})
