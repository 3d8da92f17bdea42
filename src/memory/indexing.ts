// Tells an index what has become of items, until it has what the truth has.
import { RecollectError } from '../kernel/errors.ts'
import { isRecord } from '../kernel/json.ts'
import type { Embedder } from '../ports/embedder.ts'
import type { IndexedItems, IndexSetup, ItemIndex } from '../ports/item-index.ts'
import type { StoreMessage } from '../ports/store.ts'

export class Indexing {
  readonly #items: IndexedItems
  readonly #index: ItemIndex
  readonly #embedder: Embedder | undefined
  #checked = false
  readonly #telling = new Set<string>()
  readonly #again = new Set<string>()

  constructor(items: IndexedItems, index: ItemIndex, embedder: Embedder | undefined) {
    this.#items = items
    this.#index = index
    this.#embedder = embedder
  }

  /** Asks until an isolate knows; each request for itself, for one that is given up ends for nobody who waits for it. Throws `index_mismatch`. */
  async checked(): Promise<void> {
    if (this.#checked) return
    const { setup } = this.#index
    const kept = await this.#items.indexSetup(setup)
    this.#checked = wordsOf(kept) === wordsOf(setup)
    if (this.#checked) return
    throw new RecollectError(
      'index_mismatch',
      `The index of items was made as ${wordsOf(kept)}, and this Worker is set up for ${wordsOf(setup)}. Go back to what it was, or make it anew: npm run reindex, or in code reindex({ items, index, embedder })`,
    )
  }

  /**
   * Of the outbox: whoever wrote the item tells the index at once, and this comes some seconds later, when queries see what it was
   * told. Until then they find the item by the truth's own words.
   */
  async deliver({ tenant, payload }: StoreMessage): Promise<void> {
    const { id, space } = isRecord(payload) ? payload : {}
    if (typeof id !== 'string' || typeof space !== 'string') return
    const known = await this.#items.toIndex(tenant, id)
    if (known?.told && (await this.#items.settled(tenant, known.item))) return
    if (await this.tell(tenant, id, space)) {
      throw new RecollectError('storage_unavailable', 'The index was told, and is to settle.', {
        retryAfterMs: settlesInMs,
      })
    }
  }

  /** Many writes of one item at once are told once they are over. Never rejects: the outbox has what fails here. */
  async tellSoon(tenant: string, id: string, space: string): Promise<void> {
    const name = JSON.stringify([tenant, id])
    if (this.#telling.has(name)) {
      this.#again.add(name)
      return
    }
    this.#telling.add(name)
    try {
      do {
        this.#again.delete(name)
        await this.tell(tenant, id, space)
      } while (this.#again.has(name))
    } catch {
      this.#again.delete(name)
    } finally {
      this.#telling.delete(name)
    }
  }

  /** Many at once, of one part of the index; what was put again meanwhile is told anew. Never rejects, as {@link tellSoon}. */
  async tellGone(tenant: string, space: string, ids: readonly string[]): Promise<void> {
    try {
      await this.checked()
      await this.#index.delete({ tenant, space }, ids)
      const back = await this.#items.find({ tenant, prefix: [], ids, refresh: false })
      await Promise.all(back.map(({ id }) => this.tellSoon(tenant, id, space)))
    } catch {}
  }

  /** The item may change meanwhile: then it is told again. False: it has gone, and was taken out. */
  async tell(tenant: string, id: string, space: string): Promise<boolean> {
    await this.checked()
    for (let time = 0; time < 3; time++) {
      const known = await this.#items.toIndex(tenant, id)
      if (known === undefined) {
        await this.#index.delete({ tenant, space }, [id])
        // Put again meanwhile, it may have been told before this took it out.
        if ((await this.#items.toIndex(tenant, id)) === undefined) return false
        continue
      }
      const { item, nearby } = known
      const [vector] = await vectorsOf([item.text], this.#index, this.#embedder)
      await this.#index.upsert({ tenant, space }, [{ item, nearby, vector }])
      if (await this.#items.indexed(tenant, item)) return true
    }
    throw new RecollectError('storage_unavailable', 'The item changed each time that the index was told of it.')
  }
}

/** One a text; none where the index needs none, or makes its own. */
export async function vectorsOf(
  texts: readonly string[],
  { setup }: ItemIndex,
  embedder: Embedder | undefined,
  options?: Parameters<Embedder['embed']>[1],
): Promise<readonly (readonly number[])[]> {
  return setup.kind === 'sparse' || embedder === undefined ? [] : embedder.embed(texts, options)
}

/** Throws `index_mismatch`: without the embedder that the index names, searches would go by words, and nobody would be told. */
export function assertEmbedder({ setup }: ItemIndex, embedder: Embedder | undefined): void {
  if (setup.embedder === '' || (embedder?.model === setup.embedder && embedder.dimensions === setup.dimensions)) return
  const given = embedder === undefined ? 'no embedder is given' : `the embedder is ${vectorsAs(embedder)}`
  throw new RecollectError(
    'index_mismatch',
    `The index takes vectors of ${vectorsAs({ ...setup, model: setup.embedder })}, and ${given}. Give both the same: indexedStore({ items, index, embedder }), and so for reindex.`,
  )
}

function vectorsAs({ model, dimensions }: { readonly model: string; readonly dimensions: number }): string {
  return `"${model}" with ${dimensions} dimensions`
}

/** From when an index has taken a write until its queries see it. */
const settlesInMs = 10_000

function wordsOf({ kind, embedder, dimensions }: IndexSetup): string {
  if (kind === 'sparse') return 'sparse, by words'
  return embedder === ''
    ? `${kind}, by a model of its own`
    : `${kind}, by ${vectorsAs({ model: embedder, dimensions })}`
}
