// The store behind an index: Neon over PGlite, and the real client of Upstash Vector against the local stand-in.
import { indexKindOf } from '../../local/vector/index-kind.ts'
import { throwawayVector } from '../../local/vector/throwaway-vector.ts'
import { neonStore } from '../../src/adapters/neon/index.ts'
import { upstashItemIndex } from '../../src/adapters/upstash/index.ts'
import { indexedStore } from '../../src/memory/indexed-store.ts'
import { pgliteDatabase } from './neon-database.ts'
import { retention, storeContract } from './store.ts'

storeContract('neon behind a sparse index', async () => {
  const { sql, close } = await pgliteDatabase()
  const vector = await throwawayVector({
    kind: indexKindOf('sparse'),
    embeds: true,
    knobs: { consistencyDelayMs: 100 },
  })
  const items = neonStore(sql, { retention, indexed: true })
  const index = upstashItemIndex({ url: vector.url, token: vector.token, kind: 'sparse' })
  return {
    store: indexedStore({ items, index }),
    async close() {
      await vector.stop()
      await close()
    },
  }
})
