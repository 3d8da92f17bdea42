// Search behind the other indexes: those that embed themselves, the other fusion, and those that do not show yet what was written.
import { indexedStoreOf } from './indexed-store.ts'
import { searchContract } from './store.ts'

searchContract('dense, by a model of its own', () => indexedStoreOf({ kind: 'dense', hosted: true, settled: true }))
searchContract('hybrid, by models of its own', () => indexedStoreOf({ kind: 'hybrid', hosted: true, settled: true }))
searchContract('hybrid, by DBSF', () => indexedStoreOf({ kind: 'hybrid', fusion: 'DBSF', settled: true }))
searchContract('sparse, and behind', () => indexedStoreOf({ kind: 'sparse', settled: false }))
searchContract('dense, and behind', () => indexedStoreOf({ kind: 'dense', settled: false }))
searchContract('hybrid, and behind', () => indexedStoreOf({ kind: 'hybrid', settled: false }))
