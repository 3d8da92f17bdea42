// The in-memory checkpointer.
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { checkpointerContract } from './checkpointer.ts'
import { movableClock } from './later.ts'

checkpointerContract('memory', async () => {
  const { now, later } = movableClock()
  return { checkpointer: memoryCheckpointer({ now }), later, close: async () => {} }
})
