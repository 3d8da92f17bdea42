// The in-memory store.
import { memoryCheckpointer, memoryStore } from '../../src/adapters/memory/index.ts'
import { movableClock } from './later.ts'
import { retention, storeContract } from './store.ts'

storeContract('memory', async () => {
  const { now, later } = movableClock()
  const checkpointer = memoryCheckpointer({ now })
  return { store: memoryStore({ now, retention, checkpointer }), checkpointer, later, close: async () => {} }
})
