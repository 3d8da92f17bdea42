// Extraction: which of a model's proposals are written, and which are refused and why. Nothing that was said is dropped unsaid.
import { hashOf } from '../kernel/hash.ts'
import { itemId } from '../kernel/item.ts'
import type { Namespace } from '../kernel/namespace.ts'
import type { Message } from '../ports/model.ts'
import type { Item, ItemOperation } from '../ports/store.ts'
import type { ExtractionDeed, ThreadOf } from './extraction-log.ts'
import type { Proposal } from './extraction-request.ts'
import { secretIn } from './secrets.ts'

export interface ExtractOptions {
  /** Where to: segments; `{user}` and `{thread}` stand for the thread's own. `['users', '{user}']` unless told otherwise. */
  readonly namespace?: Namespace
  /** How long after the last turn of a thread it is read, in milliseconds. 30,000 unless told otherwise; 0: right after each. */
  readonly afterMs?: number
  /** Whether a fact may be kept. What looks like a key, a token, a password or a card number never is. */
  readonly policy?: (fact: ExtractedFact) => boolean | Promise<boolean>
  /**
   * Whose messages are read. `['user']` unless told otherwise: what a tool gave, and what the model made of it, writes no memory
   * unless it is allowed to.
   */
  readonly roles?: readonly ('user' | 'assistant' | 'tool')[]
}

/** What is about to be remembered. */
export interface ExtractedFact extends ThreadOf {
  readonly text: string
  /** Where it goes: that of the memory that it takes the place of, else that of the options. */
  readonly namespace: Namespace
  /** Id of the memory that it takes the place of; `undefined`: it is a new one. */
  readonly replaces: string | undefined
  /** The messages that it is from. */
  readonly messages: readonly Message[]
}

export interface ExtractionPlan {
  readonly operations: readonly ItemOperation[]
  readonly did: readonly ExtractionDeed[]
}

interface Extracting extends ThreadOf {
  readonly namespace: Namespace
  readonly checkpoint: string
  readonly said: readonly Message[]
  /** As the model was shown them. */
  readonly memories: readonly Item[]
  /** What there is under a key of the namespace. */
  readonly at: (key: string) => Promise<Item | undefined>
  readonly policy: ExtractOptions['policy']
}

const longestFact = 1_000
/** With the log they are one batch. */
const mostFacts = 50

/** Throws what the policy throws. */
export async function planned(proposals: readonly Proposal[], extracting: Extracting): Promise<ExtractionPlan> {
  const operations: ItemOperation[] = []
  const did: ExtractionDeed[] = []
  // A memory is written once: what else is said of it is another.
  const taken = new Set<string>()
  let known: Known = extracting.memories
  for (const [index, proposal] of proposals.entries()) {
    const from = sourcesOf(proposal, extracting.said)
    const messages = from.map(({ id }) => id)
    if (index >= mostFacts) {
      did.push({ action: 'refused', reason: 'too many at once', messages })
      continue
    }
    const memory = extracting.memories[(proposal.memory ?? 0) - 1]
    const { operation, ...deed } = await decided(proposal, memory, from, extracting, { known, taken })
    did.push({ ...deed, messages })
    const { memory: id } = deed
    if (id === undefined || operation === undefined) continue
    operations.push(operation)
    taken.add(id)
    const text = operation.op === 'put' && operation.text
    known = [...known.filter((one) => one.id !== id), ...(text ? [{ id, text }] : [])]
  }
  return { operations, did }
}

/** What there will be, as far as it is known. */
type Known = readonly Pick<Item, 'id' | 'text'>[]

interface SoFar {
  readonly known: Known
  /** Ids of what is written already. */
  readonly taken: ReadonlySet<string>
}

type Decision = Omit<ExtractionDeed, 'messages'> & { readonly operation?: ItemOperation }

async function decided(
  { action, text }: Proposal,
  memory: Item | undefined,
  from: readonly Message[],
  extracting: Extracting,
  { known, taken }: SoFar,
): Promise<Decision> {
  if (action === 'keep' && memory !== undefined) return { action: 'kept', memory: memory.id }
  const changes = memory !== undefined && !taken.has(memory.id) && isOwn(memory, extracting) ? memory : undefined
  if (action === 'delete') {
    if (changes === undefined) return refused('no memory of theirs')
    const { namespace, key, version, id } = changes
    return { action: 'deleted', memory: id, operation: { op: 'delete', namespace, key, expectedVersion: version } }
  }
  // What is to be kept and is nowhere, or to change what is not theirs, is said all the same: it is added.
  const same = known.find((one) => alike(one.text, text))
  if (same !== undefined) return { action: 'kept', memory: same.id }
  if (text === '') return refused('no text')
  if (text.length > longestFact) return refused('too long')
  const secret = secretIn(text)
  if (secret !== undefined) return refused(secret)
  const replaced = action === 'update' ? changes : undefined
  const { tenant, user, thread, policy } = extracting
  const namespace = replaced?.namespace ?? extracting.namespace
  const fact = { tenant, user, thread, text, namespace, replaces: replaced?.id, messages: from }
  if (policy !== undefined && !(await policy(fact))) return refused('by policy')
  if (replaced !== undefined) return written(fact, replaced, extracting)
  const place = await placeOf(text, extracting, taken)
  return place.same === undefined ? written(fact, place, extracting) : { action: 'kept', memory: place.same }
}

interface Place {
  readonly key: string
  readonly version: number
  readonly value?: Item['value']
  readonly tags?: Item['tags']
}

/** The same sentence of the same person, said again anywhere, is the same memory; what took its place since then keeps that place. */
async function placeOf(
  text: string,
  { user, at }: Extracting,
  taken: ReadonlySet<string>,
): Promise<Place & { readonly same?: string }> {
  for (let again = 0; ; again++) {
    const key = hashOf('extracted', user, normal(text), ...(again === 0 ? [] : [`${again}`]))
    const item = await at(key)
    if (item === undefined) return { key, version: 0 }
    if (alike(item.text, text) && !taken.has(item.id)) return { key, version: item.version, same: item.id }
  }
}

function written(
  { user, thread, text, namespace, messages, replaces }: ExtractedFact,
  { key, version: expectedVersion, value: before, tags = ['extracted'] }: Place,
  { checkpoint }: Extracting,
): Decision {
  const value = { ...before, text, messages: messages.map(({ id }) => id), checkpoint }
  const by = { tags, source: `thread:${thread}`, author: user, expectedVersion }
  const operation = { op: 'put', namespace, key, value, text, ...by } as const
  return { action: replaces === undefined ? 'added' : 'updated', memory: itemId(namespace, key), operation }
}

/** A memory, and not what an application keeps; of nobody else. */
function isOwn({ value, author }: Item, { user }: Extracting): boolean {
  return typeof value.text === 'string' && (author === null || author === user)
}

/** The messages that it names; of none, it may be from any. */
function sourcesOf({ from }: Proposal, said: readonly Message[]): readonly Message[] {
  const named = said.filter((_, index) => from.includes(index + 1))
  return named.length === 0 ? said : named
}

/** But for case, space and the full stop: what differs in more is another. */
function alike(a: string, b: string): boolean {
  return normal(a) === normal(b)
}

function normal(text: string): string {
  return text.normalize('NFC').toLowerCase().replace(/\s+/g, ' ').trim().replace(/\.$/, '')
}

function refused(reason: string): Decision {
  return { action: 'refused', reason }
}
