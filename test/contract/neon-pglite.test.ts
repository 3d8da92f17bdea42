// The Neon checkpointer over PGlite, as under `npm run dev`.
import { checkpointerContract } from './checkpointer.ts'
import { pgliteDatabase } from './neon-database.ts'

checkpointerContract('neon over PGlite', () => pgliteDatabase())
