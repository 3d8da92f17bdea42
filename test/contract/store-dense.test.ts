// The store behind a dense index, which has taken what was written.
import { indexedStoreOf } from './indexed-store.ts'
import { storeContract } from './store.ts'

storeContract('neon behind a dense index', () => indexedStoreOf({ kind: 'dense', settled: true }))
