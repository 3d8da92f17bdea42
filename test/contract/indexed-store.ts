// The store behind an index: Neon over PGlite, and the real client of Upstash Vector against the local stand-in.
import { hashedWords } from '../../local/model/embedding.ts'
import { indexKindOf } from '../../local/vector/index-kind.ts'
import { throwawayVector } from '../../local/vector/throwaway-vector.ts'
import { neonStore } from '../../src/adapters/neon/index.ts'
import { upstashItemIndex } from '../../src/adapters/upstash/index.ts'
import { itemId, spaceOf } from '../../src/kernel/item.ts'
import type { Namespace } from '../../src/kernel/namespace.ts'
import { indexedStore } from '../../src/memory/indexed-store.ts'
import type { Embedder, Store } from '../../src/ports/index.ts'
import { type NeonDatabase, pgliteDatabase } from './neon-database.ts'
import { type MadeStore, retention } from './store.ts'

export interface IndexChoices {
  readonly kind: 'sparse' | 'dense' | 'hybrid'
  /** By the index itself, as with a model that Upstash hosts. */
  readonly hosted?: boolean
  readonly fusion?: 'RRF' | 'DBSF'
  /** Whether the index has and shows what was written, as it does once the sweep has come by. */
  readonly settled: boolean
}

const dimensions = 256

/** No real embedding: texts are near each other if they share words. */
const embedder: Embedder = {
  ...{ model: 'hashed words', dimensions },
  embed: async (texts) => texts.map((text) => [...hashedWords(text, dimensions)]),
}

/** `shared`: a database for several of them, one after the other. */
export async function indexedStoreOf(choices: IndexChoices, shared?: NeonDatabase): Promise<MadeStore> {
  const { kind, hosted = false, fusion, settled } = choices
  const { sql, checkpointer, later, close } = shared ?? (await pgliteDatabase())
  const vector = await throwawayVector({
    kind: indexKindOf(kind === 'sparse' ? kind : `${kind}/${dimensions}`),
    embeds: hosted,
    knobs: { consistencyDelayMs: settled ? 0 : 100 },
  })
  const embeds = hosted || kind === 'sparse' ? {} : { embedder }
  const items = neonStore(sql, { retention, indexed: true })
  const { url, token } = vector
  const index = upstashItemIndex({ url, token, kind, timeoutMs: 30_000, ...embeds, ...(fusion && { fusion }) })
  await items.replaceIndexSetup(index.setup, true)
  const store = indexedStore({ items, index, ...embeds })
  return {
    store: settled ? settling(store) : store,
    checkpointer,
    later,
    async close() {
      await vector.stop()
      if (shared === undefined) await close()
    },
  }
}

interface Written {
  readonly namespace: Namespace
  readonly key: string
}

/** What the outbox does with each write, done before the next question. */
function settling(store: Store): Store {
  const behind = new Map<string, readonly Written[]>()
  const telling: Promise<unknown>[] = []
  const defer = (work: Promise<unknown>) => void telling.push(work)
  const note = (tenant: string, written: readonly Written[]) => {
    behind.set(tenant, [...(behind.get(tenant) ?? []), ...written])
  }
  const settle = async (tenant: string) => {
    await Promise.all(telling.splice(0))
    const written = new Map((behind.get(tenant) ?? []).map((at) => [itemId(at.namespace, at.key), at]))
    behind.delete(tenant)
    for (const [id, { namespace }] of written) {
      const message = { tenant, payload: { id, space: spaceOf(namespace) } }
      // What is told already is settled the first time; what is not is told, and said to be settling: the second finds that it has.
      await store.deliver?.index?.(message).catch(() => store.deliver?.index?.(message))
    }
  }
  return {
    ...store,
    async put(put) {
      const outcome = await store.put({ ...put, defer })
      note(put.tenant, [put])
      return outcome
    },
    async delete(deletion) {
      const deleted = await store.delete({ ...deletion, defer })
      note(deletion.tenant, [deletion])
      return deleted
    },
    async batch(batch) {
      const results = await store.batch({ ...batch, defer })
      note(batch.tenant, batch.operations)
      return results
    },
    async search(search) {
      if (search.query !== undefined) await settle(search.tenant)
      return store.search(search)
    },
  }
}
