// Reads a thread once it has been quiet for a while, and remembers what was said in it: a message of the outbox, one a thread, due
// anew with each turn.
//
// E1 What is said in a thread is read once on each branch: the facts, and how far they reach, are one write (a strict batch).
// E2 A crash before that write repeats the work; behind it there is nothing to repeat.
// E3 Whoever has read while another wrote of the same person, or while a memory was changed or the person was forgotten, writes nothing, and
//    reads again.
import { stateView } from '../graph/plan.ts'
import { RecollectError } from '../kernel/errors.ts'
import { isRecord } from '../kernel/json.ts'
import type { Namespace } from '../kernel/namespace.ts'
import { wholeNumber } from '../kernel/number.ts'
import { type ExtractOptions, planned } from '../memory/extraction.ts'
import {
  dropExtractionLog,
  type ExtractionLog,
  logged,
  openExtractionLog,
  type Said,
  saidSince,
  type ThreadOf,
} from '../memory/extraction-log.ts'
import { extractionRequest, proposalsOf } from '../memory/extraction-request.ts'
import { namespaceFor, templateOf } from '../memory/namespace-template.ts'
import type { Message } from '../ports/model.ts'
import type { Item, Store } from '../ports/store.ts'
import { positionAt } from '../runtime/chain.ts'
import type { Deliver } from '../runtime/delivery.ts'
import type { Extraction, ReadThrough } from '../runtime/extraction.ts'
import { replyOf } from '../runtime/reply.ts'

/** As many as a sweep delivers at once: threads of one person each get their turn. */
const mostTries = 4

/**
 * For `compile({ extract: extraction() })`: once a thread is quiet, a model call distils lasting facts of what was said in it. Throws
 * `id_invalid` for what is no namespace, `input_invalid` for a time that is none; `compile` throws `graph_invalid` when a checkpointer,
 * a store, a model or the channel `messages` is missing.
 */
export function extraction(options: ExtractOptions = {}): Extraction {
  const { afterMs = 30_000 } = options
  const namespace = templateOf(options.namespace)
  wholeNumber('extraction({ afterMs })', afterMs, { atLeast: 0, atMost: 86_400_000 })
  return { afterMs, reader: (house) => reading(partsOf(house), { ...options, namespace }) }
}

type Placed = ExtractOptions & { readonly namespace: Namespace }
type Parts = { readonly [Name in keyof ReadThrough]: NonNullable<ReadThrough[Name]> }

function partsOf({ graph, checkpointer, store, model }: ReadThrough): Parts {
  if (checkpointer === undefined || store === undefined || model === undefined) {
    const missing = Object.entries({ checkpointer, store, model }).find(([, part]) => part === undefined)?.[0]
    throw new RecollectError('graph_invalid', `To extract needs a ${missing}: compile({ extract, ${missing}: … }).`)
  }
  if (!Object.hasOwn(graph.channels, 'messages')) {
    const problem = 'What is extracted is read from a channel "messages", which the graph does not have.'
    throw new RecollectError('graph_invalid', problem)
  }
  return { graph, checkpointer, store, model }
}

function reading(parts: Parts, options: Placed): Deliver {
  return async ({ tenant, thread }, { signal }) => {
    const record = await parts.checkpointer.threads.get({ tenant, thread, owner: null })
    if (record === undefined) return
    const of = { tenant, thread, user: record.owner }
    for (let tries = 0; tries < mostTries; ) {
      const outcome = await extractSome(parts, options, of, signal)
      if (outcome === 'read') return
      tries = outcome === 'outdated' ? tries + 1 : 0
    }
    throw new RecollectError('storage_unavailable', 'The memories changed each time that they were to be written.')
  }
}

/** `written`: there is more to read. */
async function extractSome(
  parts: Parts,
  options: Placed,
  of: ThreadOf,
  signal: AbortSignal,
): Promise<'read' | 'written' | 'outdated'> {
  const { store } = parts
  const log = await openExtractionLog(store, of)
  const { checkpoint, said, more } = await readThread(parts, options, of, log)
  if (checkpoint === undefined) await dropExtractionLog(store, of)
  if (said.length === 0) return 'read'
  const namespace = namespaceFor(options.namespace, of)
  const memories = await near(store, of.tenant, namespace, said)
  const proposals = proposalsOf(await asked(parts, said, memories, signal))
  const at = (key: string) => store.get({ tenant: of.tenant, namespace, key, refresh: false })
  const extraction = { ...of, namespace, checkpoint: `${checkpoint}`, said, memories, at, policy: options.policy }
  const { operations, did } = await planned(proposals, extraction)
  // Beyond its time, another may be at work on the same.
  signal.throwIfAborted()
  const entry = { checkpoint: `${checkpoint}`, messages: said, did, writes: operations.length > 0 }
  const deferred: Promise<unknown>[] = []
  const results = await store.batch({
    tenant: of.tenant,
    operations: [...operations, ...logged(of, log, entry)],
    strict: true,
    defer: (work) => void deferred.push(work),
  })
  await Promise.all(deferred)
  if (results.length === 0) return 'outdated'
  return more ? 'written' : 'read'
}

/** What is new at the head. `undefined`: the thread is gone. */
async function readThread(
  { checkpointer, graph }: Parts,
  { roles = ['user'] }: ExtractOptions,
  { tenant, thread }: ThreadOf,
  log: ExtractionLog,
): Promise<Said & { readonly checkpoint: number | undefined }> {
  const chain = await checkpointer.loadChain({ tenant, thread, owner: null, seq: null, count: 1 })
  if (chain === undefined) return { checkpoint: undefined, said: [], more: false }
  const { messages } = stateView(graph, positionAt(chain.frames).values)
  const readable = Array.isArray(messages) ? messages.filter(isMessage) : []
  return { checkpoint: chain.head, ...saidSince(readable, roles, log) }
}

function isMessage(given: unknown): given is Message {
  return isRecord(given) && typeof given.id === 'string' && typeof given.content === 'string'
}

const latest = 10
const nearEach = 5
const mostMemories = 40

/** The latest, and what is near each message: of somebody who has few, all. */
async function near(
  store: Store,
  tenant: string,
  prefix: Namespace,
  said: readonly Message[],
): Promise<readonly Item[]> {
  const search = { tenant, prefix, refresh: false }
  const pages = await Promise.all([
    ...said.map(({ content }) => store.search({ ...search, query: content.slice(0, 1_000), limit: nearEach })),
    store.search({ ...search, limit: latest }),
  ])
  const found = pages.flatMap(({ items }) => items).filter(({ text }) => text !== '')
  return [...new Map(found.map((item) => [item.id, item])).values()].slice(0, mostMemories)
}

async function asked({ model }: Parts, said: readonly Message[], memories: readonly Item[], signal: AbortSignal) {
  const nobody = { messageId: 'extraction', step: 0, node: 'extraction', emit: () => {} }
  return replyOf(model, { ...extractionRequest(said, memories), signal }, nobody)
}
