// An index of items in Upstash Vector.
import { FusionAlgorithm, Index, QueryMode, WeightingStrategy } from '@upstash/vector/cloudflare'
import { RecollectError } from '../../kernel/errors.ts'
import { hashOf } from '../../kernel/hash.ts'
import type { IndexEntry, IndexHits, IndexPlace, IndexQuery, IndexSetup, ItemIndex } from '../../ports/item-index.ts'
import type { UpstashAddress } from './client.ts'
import { indexFilter, metadataOf } from './index-filter.ts'
import { queryVector, textVector } from './lexical.ts'

export interface UpstashItemIndexOptions extends UpstashAddress {
  /** As the index was made. `sparse` finds by words, which are ours and need no model; `dense` by meaning; `hybrid` by both. */
  readonly kind: IndexSetup['kind']
  /** The model whose vectors it takes. Absent: of an index that is not `sparse`, one of Upstash, which the index calls itself. */
  readonly embedder?: { readonly model: string; readonly dimensions: number }
  /** How a hybrid index joins what it found by words and by meaning. `RRF` unless told otherwise. */
  readonly fusion?: 'RRF' | 'DBSF'
  /** Begins the names of namespaces, so that several deployments may share an index: 1 to 32 letters, digits, `_` and `-`. `recollect` unless told otherwise. */
  readonly prefix?: string
  /** How long a search may take, in milliseconds. 2,000 unless told otherwise. Five times as long for what is written: nobody waits for it. */
  readonly timeoutMs?: number
}

/** Items of a tenant below one first segment share a namespace of Upstash, and none with others: decision 026. Throws `environment_invalid` for a prefix that is none. */
export function upstashItemIndex(options: UpstashItemIndexOptions): ItemIndex {
  const { url, token, kind, embedder, timeoutMs = 2_000 } = options
  const place = placing(options.prefix ?? 'recollect')
  const within = (ms: number) =>
    new Index({
      ...{ url, token, enableTelemetry: false, retry: { retries: 0 } },
      signal: () => AbortSignal.timeout(ms),
    })
  const index = within(timeoutMs)
  // A page of a hundred vectors is megabytes, and a model of Upstash may have to read them first.
  const written = within(5 * timeoutMs)
  const own = kind === 'sparse' || embedder !== undefined
  return {
    setup: setupOf(options),
    upsert: (at, entries) =>
      guarded(kind, async () => {
        const into = { namespace: place(at) }
        const vectors = () => entries.map((entry) => vectorsOf(entry, kind))
        const texts = () => entries.map(({ item }) => ({ ...namedOf(item), data: item.text }))
        await (own ? written.upsert(vectors(), into) : written.upsert(texts(), into))
      }),
    delete: (at, ids) =>
      guarded(kind, async () => {
        await written.delete([...ids], { namespace: place(at) })
      }),
    query: (at, query) => guarded(kind, () => ask(index, place(at), query, options)),
  }
}

function setupOf({ kind, embedder }: UpstashItemIndexOptions): IndexSetup {
  if (kind === 'sparse' || embedder === undefined) return { kind, embedder: '', dimensions: 0 }
  return { kind, embedder: embedder.model, dimensions: embedder.dimensions }
}

/** The one place where a namespace is named. The client puts it into the path as it is: `../reset?all` would empty the index. */
function placing(prefix: string): (at: IndexPlace) => string {
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(prefix)) {
    throw new RecollectError('environment_invalid', 'The prefix of an index must be 1 to 32 of A–Z a–z 0–9 _ -.')
  }
  return ({ tenant, space }) => `${prefix}-${hashOf(tenant, space)}`
}

function namedOf(item: IndexEntry['item']) {
  return { id: item.id, metadata: metadataOf(item) }
}

/** In the place of words, where a text has none: an index that wants some takes no vector without. */
const noWords = { indices: [0], values: [0.001] }

function vectorsOf({ item, nearby, vector = [] }: IndexEntry, kind: IndexSetup['kind']) {
  const sparseVector = textVector(item.text, nearby) ?? noWords
  if (kind === 'sparse') return { ...namedOf(item), sparseVector }
  return { ...namedOf(item), vector: [...vector], ...(kind === 'hybrid' && { sparseVector }) }
}

async function ask(
  index: Index,
  namespace: string,
  { text, vector, prefix, filter, limit }: IndexQuery,
  { kind, embedder, fusion = 'RRF' }: UpstashItemIndexOptions,
): Promise<IndexHits> {
  const narrowed = indexFilter(prefix, filter)
  const common = { topK: limit, ...(narrowed !== '' && { filter: narrowed }) }
  const weighted = { weightingStrategy: WeightingStrategy.IDF }
  const joined = { ...weighted, fusionAlgorithm: FusionAlgorithm[fusion] }
  if (embedder === undefined && kind !== 'sparse') {
    const how = kind === 'hybrid' ? { ...joined, queryMode: QueryMode.HYBRID } : {}
    return hitsOf(await index.query({ data: text, ...common, ...how }, { namespace }))
  }
  const sparseVector = kind === 'dense' ? undefined : queryVector(text)
  const dense = kind === 'sparse' || vector === undefined ? undefined : [...vector]
  // Without its words or its vector a hybrid index searches by the other alone.
  if (dense !== undefined && sparseVector !== undefined) {
    return hitsOf(await index.query({ vector: dense, sparseVector, ...joined, ...common }, { namespace }))
  }
  if (dense !== undefined) return hitsOf(await index.query({ vector: dense, ...common }, { namespace }))
  if (sparseVector === undefined) return { ids: [], scores: [] }
  return hitsOf(await index.query({ sparseVector, ...weighted, ...common }, { namespace }))
}

function hitsOf(found: readonly { readonly id: string | number; readonly score: number }[]): IndexHits {
  return { ids: found.map(({ id }) => String(id)), scores: found.map(({ score }) => score) }
}

/** Its own words stay the cause alone: they may quote what was sent. */
async function guarded<Result>(kind: IndexSetup['kind'], work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    throw failureOf(kind, cause)
  }
}

function failureOf(kind: IndexSetup['kind'], cause: unknown): RecollectError {
  const said = cause instanceof Error ? cause.message : ''
  const [, given, expected] = /dimension: (\d+), expected: (\d+)/.exec(said) ?? []
  if (given !== undefined) {
    return new RecollectError(
      'index_mismatch',
      `The index takes vectors of ${expected} dimensions and was given ${given}. Make an index for the model that is set up, and fill it: npm run reindex, or in code reindex({ items, index, embedder })`,
      { cause },
    )
  }
  // The client's errors have no status: what Upstash says of vectors that an index does not take is known by its words alone.
  const [takes] = /(?:requires|does not support) (?:dense|sparse) vectors|embedding model/i.exec(said) ?? []
  if (takes !== undefined) {
    return new RecollectError(
      'index_mismatch',
      `The index is set up as "${kind}" and was made as another kind. Set the kind that it was made as, or make an index of this kind, and fill it: npm run reindex, or in code reindex({ items, index, embedder })`,
      { cause },
    )
  }
  const what = /unauthorized/i.test(said) ? 'refused the token' : 'did not answer'
  return new RecollectError('storage_unavailable', `Upstash Vector ${what}.`, { cause, retryAfterMs: 1_000 })
}
