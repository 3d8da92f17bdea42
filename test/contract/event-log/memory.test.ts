// The contract, in memory.
import { memoryEventLog } from '../../../src/adapters/memory/index.ts'
import { eventLogContract } from './contract.ts'

eventLogContract('in memory', memoryEventLog)
