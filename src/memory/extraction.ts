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
  readonly namespace: Namespace
  /** The memory that it takes the place of. */
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
  for (const [index, proposal] of proposals.entries()) {
    const from = sourcesOf(proposal, extracting.said)
    const messages = from.map(({ id }) => id)
    if (index >= mostFacts) {
      did.push({ action: 'refused', reason: 'too many at once', messages })
      continue
    }
    const memory = extracting.memories[(proposal.memory ?? 0) - 1]
    const { operation, ...deed } = await decided(proposal, memory, from, extracting, taken)
    if (deed.memory !== undefined && operation !== undefined) taken.add(deed.memory)
    if (operation !== undefined) operations.push(operation)
    did.push({ ...deed, messages })
  }
  return { operations, did }
}

type Decision = Omit<ExtractionDeed, 'messages'> & { readonly operation?: ItemOperation }

async function decided(
  { action, text }: Proposal,
  memory: Item | undefined,
  from: readonly Message[],
  extracting: Extracting,
  taken: ReadonlySet<string>,
): Promise<Decision> {
  if (action === 'keep' && memory !== undefined) return { action: 'kept', memory: memory.id }
  const changes = memory !== undefined && !taken.has(memory.id) && isOwn(memory, extracting) ? memory : undefined
  if (action === 'delete') {
    if (changes === undefined) return refused('no memory of theirs')
    const { namespace, key, version, id } = changes
    return { action: 'deleted', memory: id, operation: { op: 'delete', namespace, key, expectedVersion: version } }
  }
  // What is to be kept and is nowhere, or to change what is not theirs, is said all the same: it is added.
  const same = extracting.memories.find((known) => alike(known.text, text))
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
  return written(fact, replaced, extracting)
}

/** The same sentence of the same person, said again anywhere, is the same memory. */
function written(
  { user, thread, text, namespace, messages }: ExtractedFact,
  replaced: Item | undefined,
  { checkpoint }: Extracting,
): Decision {
  const value = { ...replaced?.value, text, messages: messages.map(({ id }) => id), checkpoint }
  const key = replaced?.key ?? hashOf('extracted', user, normal(text))
  const tags = replaced?.tags ?? ['extracted']
  const operation = {
    ...({ op: 'put', namespace, key, value, text, tags, source: `thread:${thread}`, author: user } as const),
    ...(replaced && { expectedVersion: replaced.version }),
  }
  return { action: replaced === undefined ? 'added' : 'updated', memory: itemId(namespace, key), operation }
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
