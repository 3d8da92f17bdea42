// Threads in Neon Postgres.
export type { Checkpointer } from '../../ports/checkpointer.ts'
export type { IndexedItems } from '../../ports/item-index.ts'
export { neonCheckpointer } from './checkpointer.ts'
export type { Sql } from './database.ts'
export { checkNeon } from './health.ts'
export { migrate, type TransactionSql } from './migrate.ts'
export { type NeonStoreOptions, neonStore } from './store.ts'
