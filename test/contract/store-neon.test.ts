// The Neon store over PGlite, as under `npm run dev`, searched by words.
import { neonStore } from '../../src/adapters/neon/index.ts'
import { pgliteDatabase } from './neon-database.ts'
import { retention, storeContract } from './store.ts'

storeContract('neon over PGlite', async () => {
  const { sql, ...database } = await pgliteDatabase()
  return { store: neonStore(sql, { retention }), ...database }
})
