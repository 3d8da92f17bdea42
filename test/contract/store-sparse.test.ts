// The store behind a sparse index, which has taken what was written: what an index has to do with, beside what it passes on.
import { indexedStoreOf } from './indexed-store.ts'
import { indexedContract } from './store.ts'

indexedContract('sparse', () => indexedStoreOf({ kind: 'sparse', settled: true }))
