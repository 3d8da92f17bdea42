// The in-memory store.
import { memoryStore } from '../../src/adapters/memory/index.ts'
import { retention, storeContract } from './store.ts'

storeContract('memory', async () => ({ store: memoryStore({ retention }), close: async () => {} }))
