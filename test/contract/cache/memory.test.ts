// The cache in memory.
import { memoryCache } from '../../../src/adapters/memory/index.ts'
import { cacheContract } from './contract.ts'

cacheContract('in memory', memoryCache)
