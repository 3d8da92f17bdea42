// What was extracted of a thread: how far it was read, and what was done each time. One item a thread, in the store: the facts and how far
// they reach are one write. Its history is the log.
import { hashOf } from '../kernel/hash.ts'
import { isRecord } from '../kernel/json.ts'
import type { Message } from '../ports/model.ts'
import type { ItemOperation, Store } from '../ports/store.ts'

/** What was done with one thing that was said. */
export interface ExtractionDeed {
  readonly action: 'added' | 'updated' | 'deleted' | 'kept' | 'refused'
  /** The id of the memory. */
  readonly memory?: string
  /** Why it was refused. Never what it said. */
  readonly reason?: string
  /** The ids of the messages that it is from. */
  readonly messages: readonly string[]
}

export interface ExtractionLog {
  /** 0: nobody has read the thread. */
  readonly version: number
  /** Marks of the messages that were read last, oldest first. */
  readonly read: readonly string[]
  /** Version of the person's turn to write, 0 for none yet. */
  readonly turn: number
}

export interface ThreadOf {
  readonly tenant: string
  /** The thread's owner. */
  readonly user: string
  readonly thread: string
}

const dayMs = 86_400_000

/** Forks that begin further back than so many messages are read again. */
const marksKept = 64

/** Beside the person's memories and not among them: what was read stays read when memories are forgotten. */
export function extractionsOf({ user }: Pick<ThreadOf, 'user'>): readonly string[] {
  return ['extractions', user]
}

const addressOf = ({ tenant, user, thread }: ThreadOf) => ({ tenant, namespace: extractionsOf({ user }), key: thread })

/**
 * Whose turn it is to write facts of a person: written with them, so that of two threads that are read at once the later reads again,
 * what the other wrote included. No thread has such an id.
 */
const turnKey = '$turn'

/**
 * Made before the thread is read: when the person is forgotten meanwhile it is gone, and nothing that waits for its version is written.
 */
export async function openExtractionLog(store: Store, of: ThreadOf): Promise<ExtractionLog> {
  const address = addressOf(of)
  const reads = [address, { ...address, key: turnKey }].map(({ namespace, key }) => {
    return { op: 'get', namespace, key, refresh: false } as const
  })
  const found = await store.batch({ tenant: of.tenant, operations: reads })
  const [kept, latest] = found.map((one) => (one.op === 'get' ? one.item : undefined))
  const turn = latest?.version ?? 0
  let item = kept
  if (item === undefined) {
    // For a day, until something is in it: of a person who is forgotten just now nobody comes back to take it away.
    const made = { ...address, value: { read: [], did: [] }, text: false, ttlMs: dayMs, expectedVersion: 0 } as const
    const { outcome, version } = await store.put(made)
    if (outcome === 'saved') return { version, read: [], turn }
    item = await store.get({ ...address, refresh: false })
  }
  const read = isRecord(item?.value) && Array.isArray(item.value.read) ? item.value.read : []
  return { version: item?.version ?? 0, read: read.filter((mark) => typeof mark === 'string'), turn }
}

/** What the thread's log is to become, if nobody has written it since; and with facts, if nobody has written any. */
export function logged(
  of: ThreadOf,
  log: ExtractionLog,
  { checkpoint, messages, did, writes }: ExtractionEntry,
): readonly ItemOperation[] {
  const { tenant: _, ...address } = addressOf(of)
  const read = [...log.read, ...messages.map(markOf)].slice(-marksKept)
  const entry = { op: 'put', ...address, text: false, ttlMs: null } as const
  const put = { ...entry, value: { checkpoint, read, did }, expectedVersion: log.version }
  if (!writes) return [put]
  const mark = hashOf(of.thread, checkpoint, ...read)
  return [put, { ...entry, key: turnKey, value: { mark }, expectedVersion: log.turn }]
}

interface ExtractionEntry {
  readonly checkpoint: string
  readonly messages: readonly Message[]
  readonly did: readonly ExtractionDeed[]
  /** Whether facts are written. */
  readonly writes: boolean
}

/** A copy has the same messages, which are not to be read again: what was forgotten since would come back. Gives whether there is one now. */
export async function copyExtractionLog(store: Store, of: ThreadOf, copy: string): Promise<boolean> {
  const item = await store.get({ ...addressOf(of), refresh: false })
  if (item === undefined) return false
  const value = { ...item.value, did: [] }
  const address = addressOf({ ...of, thread: copy })
  const { outcome } = await store.put({ ...address, value, text: false, ttlMs: null, expectedVersion: 0 })
  return outcome === 'saved'
}

export async function dropExtractionLog(store: Store | undefined, of: ThreadOf): Promise<void> {
  await store?.delete(addressOf(of))
}

export interface Said {
  readonly said: readonly Message[]
  /** Whether there is more behind them. */
  readonly more: boolean
}

const mostMessages = 12
const mostCharacters = 12_000

/** What was said since, as much as is read at once: behind the last message of this branch that was read. */
export function saidSince(
  messages: readonly Message[],
  roles: readonly Message['role'][],
  { read }: ExtractionLog,
): Said {
  const readable = messages.filter(({ role, content }) => roles.includes(role) && content.trim() !== '')
  const marks = new Set(read)
  const fresh = readable.slice(readable.findLastIndex((message) => marks.has(markOf(message))) + 1)
  let left = mostCharacters
  const said = fresh.slice(0, mostMessages).filter(({ content }, index) => {
    left -= content.length
    return index === 0 || left >= 0
  })
  return { said, more: said.length < fresh.length }
}

/** Of one that was changed it is another. */
function markOf({ id, content }: Message): string {
  return hashOf(id, content).slice(0, 10)
}
