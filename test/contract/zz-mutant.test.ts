import { checkpointerContract } from './checkpointer.ts'
import { pgliteDatabase, schema } from './neon-database.ts'

const [from = '', to = ''] = JSON.parse(process.env.MUTANT ?? '[]')
if (!schema.includes(from)) throw new Error('no such text')
checkpointerContract('mutant', () => pgliteDatabase(schema.replace(from, to)))
