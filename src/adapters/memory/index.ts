// Storage in the memory of one process.
export type { Cache } from '../../ports/cache.ts'
export type { EventLog } from '../../ports/event-log.ts'
export type { Store } from '../../ports/store.ts'
export { memoryCache } from './cache.ts'
export { type MemoryCheckpointer, type MemoryOptions, memoryCheckpointer } from './checkpointer.ts'
export { memoryEventLog } from './event-log.ts'
export { type MemoryStoreOptions, memoryStore } from './store.ts'
