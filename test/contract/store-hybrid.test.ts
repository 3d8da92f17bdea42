// The store behind a hybrid index, which has taken what was written.
import { indexedStoreOf } from './indexed-store.ts'
import { storeContract } from './store.ts'

storeContract('neon behind a hybrid index', () => indexedStoreOf({ kind: 'hybrid', settled: true }))
