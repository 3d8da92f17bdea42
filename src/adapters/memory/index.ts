// Storage in the memory of one process.
export { memoryCache } from './cache.ts'
export { type MemoryCheckpointer, type MemoryOptions, memoryCheckpointer } from './checkpointer.ts'
export { memoryEventLog } from './event-log.ts'
export { type MemoryStoreOptions, memoryStore } from './store.ts'
