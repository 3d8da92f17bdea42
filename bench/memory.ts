// How often a question finds the memories that answer it: the store as a Worker has it, over the published clients, by words, by meaning and by both.
import { neon } from '@neondatabase/serverless'
import { embeddingModel } from '../local/model/request.ts'
import { indexKindOf } from '../local/vector/index-kind.ts'
import { throwawayVector } from '../local/vector/throwaway-vector.ts'
import { neonStore } from '../src/adapters/neon/index.ts'
import { openaiEmbedder } from '../src/adapters/openai/index.ts'
import { upstashItemIndex } from '../src/adapters/upstash/index.ts'
import { indexedStore, reindex } from '../src/index.ts'
import type { Embedder, IndexedItems, Store } from '../src/ports/index.ts'
import { bm25, type Ranked } from './bm25.ts'
import { type MemoryData, type MemoryItem, type MemoryQuestion, memoryData } from './memory-data.ts'
import { mean, percentiles, rounded } from './percentile.ts'
import type { ServerChoices } from './servers.ts'
import { temporaryServices } from './stack.ts'

export interface MemoryOptions extends ServerChoices {
  /** A file; the one beside this unless told otherwise. */
  readonly data: string | undefined
}

/** Of the scripted model's embeddings, as the local stack has them. */
const dimensions = 256
const embedderName = `hashed words, ${dimensions} dimensions: the local stack's, deterministic, and no real embedding`
const kinds = ['sparse', 'dense', 'hybrid'] as const
const most = 10
const say = (line: string) => void process.stderr.write(`${line}\n`)

export async function memory({ data, ...choices }: MemoryOptions): Promise<Record<string, unknown>> {
  const given = await memoryData(data ?? new URL('memory.jsonl', import.meta.url), say)
  const running = await temporaryServices(choices)
  const begunAt = performance.now()
  try {
    const { DATABASE_URL = '', OPENAI_BASE_URL: baseUrl = '' } = running.variables
    const embedder = openaiEmbedder({ apiKey: 'none', baseUrl, model: embeddingModel, dimensions })
    const sql = neon(DATABASE_URL)
    const items = neonStore(sql, { indexed: true })
    // As a server's autovacuum does, and the embedded one never: plans made while the table was empty would read all of it.
    const analyze = () => sql.query('analyze recollect.items')
    const beside = given.items.some(({ before, after }) => before !== undefined || after !== undefined)
    await keep({ items, analyze }, 'with', given.items)
    if (beside)
      await keep(
        { items, analyze },
        'without',
        given.items.map(({ before: _, after: __, ...item }) => item),
      )
    say(`${given.items.length} items are kept, after ${rounded((performance.now() - begunAt) / 1_000, 0)} s`)
    const found = new Map<string, Figures>()
    const without = new Map<string, Figures>()
    for (const kind of kinds) {
      const { store, stop } = await storeOf(kind, items, embedder)
      found.set(kind, await asked(given.questions, recallOf(store, 'with')))
      // A vector of the embedder is of the item's text alone.
      if (beside && kind !== 'dense') without.set(kind, await asked(given.questions, recallOf(store, 'without')))
      await stop()
      say(`${given.questions.length} questions are asked of a ${kind} index`)
    }
    return {
      embedder: embedderName,
      items: given.items.length,
      questions: given.questions.length,
      ...Object.fromEntries(found),
      ...(beside && { withoutNeighbours: Object.fromEntries(without) }),
      bm25: await asked(given.questions, baselineOf(given)),
    }
  } finally {
    await running.close()
  }
}

interface Kept {
  readonly items: IndexedItems
  readonly analyze: () => Promise<unknown>
}

async function keep({ items, analyze }: Kept, tenant: string, given: readonly MemoryItem[]): Promise<void> {
  for (let first = 0; first < given.length; first += 100) {
    const operations = given.slice(first, first + 100).map(({ namespace, id, text, before, after }) => {
      const nearby = { ...(before !== undefined && { before }), ...(after !== undefined && { after }) }
      return { op: 'put' as const, namespace, key: id, value: { text }, nearby }
    })
    await items.batch({ tenant, operations })
    if (first % 1_000 === 900) await analyze()
  }
}

/** Of one database: its index is made anew as another kind, as `npm run reindex` does. */
async function storeOf(kind: (typeof kinds)[number], items: IndexedItems, embedder: Embedder) {
  const vector = await throwawayVector({
    kind: indexKindOf(kind === 'sparse' ? kind : `${kind}/${dimensions}`),
    embeds: false,
  })
  const index = upstashItemIndex({ url: vector.url, token: vector.token, kind, embedder, timeoutMs: 20_000 })
  const begunAt = performance.now()
  const told = await reindex({ items, index, embedder })
  say(`${told} are told to a ${kind} index, in ${rounded((performance.now() - begunAt) / 1_000, 1)} s`)
  return { store: indexedStore({ items, index, embedder }), stop: vector.stop }
}

/** Gives ids, the best first. */
type Recall = (question: MemoryQuestion) => readonly string[] | Promise<readonly string[]>

function recallOf(store: Store, tenant: string): Recall {
  return async ({ namespace: prefix, text: query }) => {
    const { items, degraded } = await store.search({ tenant, prefix, query, limit: most })
    if (degraded !== null) throw new Error(`A search was not what is measured: ${degraded}`)
    return items.map(({ key }) => key)
  }
}

function baselineOf({ items }: MemoryData): Recall {
  const parts = new Map<string, Ranked>()
  for (const [name, some] of Map.groupBy(items, ({ namespace }) => JSON.stringify(namespace)))
    parts.set(name, bm25(some))
  return ({ namespace, text }) => parts.get(JSON.stringify(namespace))?.(text, most) ?? []
}

type Figures = Readonly<Record<string, number>>

/** `r…`: the mean share of a question's answers among the first so many, in percent. `h…`: of how many questions any answer is. */
async function asked(questions: readonly MemoryQuestion[], recall: Recall): Promise<Figures> {
  const times: number[] = []
  const ranks: { readonly answers: number; readonly places: readonly number[] }[] = []
  for (const question of questions) {
    const begunAt = performance.now()
    const ids = await recall(question)
    times.push(performance.now() - begunAt)
    const places = question.answers.map((id) => ids.indexOf(id)).filter((place) => place >= 0)
    ranks.push({ answers: question.answers.length, places })
  }
  const { p50, p95 } = percentiles(times)
  const among = (places: readonly number[], first: number) => places.filter((place) => place < first).length
  const figures = [1, 3, 5, 10].flatMap((first): [string, number][] => [
    [`r${first}`, mean(ranks.map(({ answers, places }) => among(places, first) / answers))],
    [`h${first}`, mean(ranks.map(({ places }) => Math.min(1, among(places, first))))],
  ])
  const percent = figures.sort(([a], [b]) => Number(b[0] === 'r') - Number(a[0] === 'r'))
  return {
    ...Object.fromEntries(percent.map(([name, share]) => [name, rounded(share * 100, 1)])),
    p50Ms: p50,
    p95Ms: p95,
  }
}
