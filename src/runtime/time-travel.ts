// Going back: what is different between two checkpoints, writes from outside as a new one, and a thread as a new thread.
import { checkEdit, type Edit } from '../graph/apply.ts'
import { type Comparison, compare } from '../graph/compare.ts'
import { RecollectError } from '../kernel/errors.ts'
import { assertId, randomId } from '../kernel/id.ts'
import { copyExtractionLog, dropExtractionLog } from '../memory/extraction-log.ts'
import type { Checkpointer } from '../ports/checkpointer.ts'
import type { Store } from '../ports/store.ts'
import { readHistory, seqOf, type ThreadAddress } from './history.ts'
import type { House } from './house.ts'
import { unknownThread } from './refusal.ts'
import { takeTurn } from './turn.ts'
import { type TurnResult, unattended } from './turn-request.ts'

export interface ThreadUpdate {
  /** The channels it writes, through their reducers. */
  readonly values: Readonly<Record<string, unknown>>
  /** Whose writes they are: what comes after that node is due then. Unless given, what is due stays due. */
  readonly asNode?: string
  /** The checkpoint that it begins at: a fork. The head unless given. */
  readonly from?: string
  /** The same key is the same update; with another one it is `key_reused`. */
  readonly key?: string
  /** False: an unknown thread is `thread_unknown`. True unless told otherwise. */
  readonly createThread?: boolean
}

export async function updateThread(
  house: House,
  { tenant, user, thread }: ThreadAddress,
  { values, asNode, from, key, createThread = true }: ThreadUpdate,
): Promise<TurnResult> {
  const edit: Edit = { update: values, ...(asNode !== undefined && { node: asNode }) }
  checkEdit(house.graph, edit)
  const id = randomId()
  const place = {
    id,
    key: key ?? id,
    strategy: 'reject',
    ...(from !== undefined && { forkFrom: seqOf(from) }),
  } as const
  const run = { ...place, kind: 'update', input: edit } as const
  const result = await takeTurn(house, { ...unattended, record: false, tenant, user, thread, run, createThread })
  if (result === undefined) throw unknownThread(thread)
  return result
}

export async function compareCheckpoints(
  checkpointer: Checkpointer,
  address: ThreadAddress,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<Comparison> {
  const at = async (checkpoint: string) => (await readHistory(checkpointer, address, { from: checkpoint, limit: 1 }))[0]
  const [before, after] = await Promise.all([at(from), at(to)])
  if (before === undefined || after === undefined) throw unknownThread(address.thread)
  return compare(before.position, after.position)
}

/** Throws `thread_unknown`, and `thread_exists` when the new id is taken. */
export async function copyThread(
  { checkpointer: { threads }, store }: { readonly checkpointer: Checkpointer; readonly store?: Store | undefined },
  { tenant, user: owner, thread }: ThreadAddress,
  copy: string,
): Promise<void> {
  assertId('thread', copy)
  const record = store && (await threads.get({ tenant, thread, owner }))
  const of = record && { tenant, thread, user: record.owner }
  // First: a copy that nobody knows to have been read would be read from its beginning.
  const logged = store !== undefined && of !== undefined && (await copyExtractionLog(store, of, copy))
  const copied = await threads.copy({ tenant, thread, owner }, copy)
  if (copied !== undefined && copied.outcome !== 'taken') return
  if (logged) await dropExtractionLog(store, { ...of, thread: copy })
  if (copied === undefined) throw unknownThread(thread)
  throw new RecollectError('thread_exists', `There is a thread "${copy}" already.`)
}
