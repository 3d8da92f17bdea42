// The store behind a sparse index, which has taken what was written.
import { indexedStoreOf } from './indexed-store.ts'
import { storeContract } from './store.ts'

storeContract('neon behind a sparse index', () => indexedStoreOf({ kind: 'sparse', settled: true }))
