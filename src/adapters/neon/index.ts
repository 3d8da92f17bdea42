// Threads in Neon Postgres.
export { neonCheckpointer } from './checkpointer.ts'
export type { Sql } from './database.ts'
export { checkNeon } from './health.ts'
export { migrate, type TransactionSql } from './migrate.ts'
export { type NeonStoreOptions, neonStore } from './store.ts'
