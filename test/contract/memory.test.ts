// The in-memory checkpointer.
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { checkpointerContract } from './checkpointer.ts'

checkpointerContract('memory', async () => ({ checkpointer: memoryCheckpointer(), close: async () => {} }))
