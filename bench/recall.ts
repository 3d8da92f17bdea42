// What a recall and a put cost with few and with many items in one tenant: times, and what crosses the wire for each.
import { neon } from '@neondatabase/serverless'
import { embeddingModel } from '../local/model/request.ts'
import { postgresBinaries } from '../local/neon/throwaway-postgres.ts'
import type { StandIn } from '../local/stand-in.ts'
import { indexKindOf } from '../local/vector/index-kind.ts'
import { throwawayVector } from '../local/vector/throwaway-vector.ts'
import { neonStore } from '../src/adapters/neon/index.ts'
import { openaiEmbedder } from '../src/adapters/openai/index.ts'
import { upstashItemIndex } from '../src/adapters/upstash/index.ts'
import { type IndexedStoreOptions, indexedStore, reindex } from '../src/index.ts'
import type { Store } from '../src/ports/index.ts'
import { mean, percentiles, rounded } from './percentile.ts'
import { randomIntegers } from './random.ts'
import type { ServerChoices } from './servers.ts'
import { temporaryServices } from './stack.ts'

export interface RecallOptions extends ServerChoices {
  /** Up to 100,000 items, which takes minutes to write. */
  readonly large: boolean
}

const dimensions = 256
const people = 100
const rounds = 200
/** Added to each trip to Postgres and to the index, where that is measured. */
const addedMs = 20
const tenant = 'bench'
const say = (line: string) => void process.stderr.write(`${line}\n`)

export async function recall({ large, ...choices }: RecallOptions): Promise<Record<string, unknown>> {
  const server = choices.postgres || postgresBinaries() !== undefined
  if (!server) say('No Postgres server is installed: PGlite stands for it.')
  const running = await temporaryServices({ ...choices, postgres: server })
  const vector = await throwawayVector({ kind: indexKindOf(`hybrid/${dimensions}`), embeds: false })
  try {
    const { DATABASE_URL = '', OPENAI_BASE_URL: baseUrl = '' } = running.variables
    const sql = neon(DATABASE_URL)
    const embedder = openaiEmbedder({ apiKey: 'none', baseUrl, model: embeddingModel, dimensions })
    const items = neonStore(sql, { indexed: true })
    const index = upstashItemIndex({ ...vector, kind: 'hybrid', embedder, timeoutMs: 20_000 })
    const { postgres, model } = running.services.standIns
    const wires = { postgres, vector: vector.standIn, ...(model && { model }) }
    const levels: Record<string, unknown> = {}
    const texts = textsFrom(7)
    let kept = 0
    for (const level of large ? [1_000, 10_000, 100_000] : [1_000, 10_000]) {
      const begunAt = performance.now()
      await fill({ items, index, embedder }, { from: kept, to: level, text: texts.sentence })
      await sql.query('analyze recollect.items')
      say(`${level} items are kept and indexed, after ${rounded((performance.now() - begunAt) / 1_000, 0)} s`)
      levels[level] = await measured(indexedStore({ items, index, embedder }), wires, texts)
      kept = level
    }
    const embeddings = `hashed words, ${dimensions} dimensions: the local stack's, deterministic, and no real embedding`
    return { postgres: server ? 'server' : 'embedded', embedder: embeddings, people, rounds, addedMs, ...levels }
  } finally {
    await vector.stop()
    await running.close()
  }
}

interface Texts {
  readonly sentence: () => string
  readonly question: () => string
  readonly person: () => string
}

/** A few words are in many texts and most in few, as in a language. */
function textsFrom(seed: number): Texts {
  const next = randomIntegers(seed)
  const words = Array.from({ length: 4_000 }, () => next().toString(36).replace(/\d/g, 'o'))
  const word = () => words[Math.floor((next() / 2 ** 31) ** 3 * words.length)] ?? ''
  const some = (count: number) => Array.from({ length: count }, word).join(' ')
  return {
    sentence: () => `${some(14)}.`,
    question: () => `What of ${some(4)}?`,
    person: () => `person-${next() % people}`,
  }
}

async function fill(
  { items, index, embedder }: IndexedStoreOptions,
  { from, to, text }: { readonly from: number; readonly to: number; readonly text: () => string },
): Promise<void> {
  for (let first = from; first < to; first += 100) {
    const operations = Array.from({ length: 100 }, (_, place) => ({
      ...{ op: 'put' as const, namespace: ['users', `person-${place % people}`], key: `item-${first + place}` },
      value: { text: text() },
    }))
    await items.batch({ tenant, operations })
  }
  await reindex({ items, index, ...(embedder && { embedder }), page: 500 })
}

type Wires = Readonly<Record<string, StandIn>>

async function measured(store: Store, wires: Wires, texts: Texts): Promise<Record<string, unknown>> {
  const search = (prefix: readonly string[]) => async () => {
    const { degraded } = await store.search({ tenant, prefix, query: texts.question(), limit: 5 })
    if (degraded !== null) throw new Error(`A recall was not what is measured: ${degraded}`)
  }
  const ofPerson = () => search(['users', texts.person()])()
  // Connections, and what is asked once an isolate.
  for (let time = 0; time < 20; time++) await ofPerson()
  const near = await timed(ofPerson, wires)
  const tenantWide = await timed(search(['users']), wires)
  const far = [wires.postgres, wires.vector]
  for (const wire of far) if (wire) wire.knobs.latencyMs = addedMs
  const { p50Ms, p95Ms } = await timed(ofPerson, wires)
  for (const wire of far) if (wire) wire.knobs.latencyMs = 0
  return { recall: near, recallFar: { p50Ms, p95Ms }, recallOfAll: tenantWide, put: await puts(store, wires, texts) }
}

/** The put until it is answered, and what the index is told after. */
async function puts(store: Store, wires: Wires, texts: Texts) {
  let told: Promise<unknown> = Promise.resolve()
  const indexing: number[] = []
  const after = new Map<string, number>()
  const put = async () => {
    const namespace = ['users', texts.person()]
    const defer = (work: Promise<unknown>) => {
      told = work
    }
    await store.put({ tenant, namespace, key: crypto.randomUUID(), value: { text: texts.sentence() }, defer })
  }
  const answered = await timed(put, wires, async () => {
    const begunAt = performance.now()
    await told
    indexing.push(performance.now() - begunAt)
    for (const [name, count] of Object.entries(taken(wires))) after.set(name, (after.get(name) ?? 0) + count)
  })
  const { p50, p95 } = percentiles(indexing)
  const each = Object.fromEntries([...after].map(([name, count]) => [`${name}Calls`, rounded(count / rounds)]))
  // The put's own statement is on the wire when its answer is: whatever of the index left before that is counted with it.
  return { ...answered, indexing: { p50Ms: p50, p95Ms: p95, ...each } }
}

async function timed(work: () => Promise<void>, wires: Wires, between?: () => Promise<void>) {
  const times: number[] = []
  const counts: Readonly<Record<string, number>>[] = []
  taken(wires)
  for (let round = 0; round < rounds; round++) {
    const begunAt = performance.now()
    await work()
    times.push(performance.now() - begunAt)
    counts.push(taken(wires))
    await between?.()
  }
  const { p50, p95 } = percentiles(times)
  const each = Object.keys(wires).map((name) => [
    `${name}Calls`,
    rounded(mean(counts.map((count) => count[name] ?? 0))),
  ])
  return { p50Ms: p50, p95Ms: p95, ...Object.fromEntries(each) }
}

/** How many operations were answered since it was last asked. */
function taken(wires: Wires): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(wires).map(([name, { log }]) => {
      return [name, log.splice(0).reduce((sum, { operations }) => sum + operations.length, 0)]
    }),
  )
}
