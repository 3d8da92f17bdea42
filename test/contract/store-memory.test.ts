// The in-memory store.
import { memoryCheckpointer, memoryStore } from '../../src/adapters/memory/index.ts'
import { retention, storeContract } from './store.ts'

storeContract('memory', async () => {
  const checkpointer = memoryCheckpointer()
  return { store: memoryStore({ retention, checkpointer }), checkpointer, close: async () => {} }
})
