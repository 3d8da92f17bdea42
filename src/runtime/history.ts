// A thread's checkpoints as a reader sees them.
import type { Channels, StateOf } from '../graph/channel.ts'
import type { Position } from '../graph/checkpoint.ts'
import { RecollectError } from '../kernel/errors.ts'
import { assertId, assertPrincipal } from '../kernel/id.ts'
import { wholeNumber } from '../kernel/number.ts'
import type { Checkpointer } from '../ports/checkpointer.ts'
import { positionsAlong } from './chain.ts'
import { pendingInterrupt } from './ended-run.ts'
import type { PendingInterrupt } from './events.ts'
import { unknownThread } from './refusal.ts'

export interface ThreadAddress {
  readonly tenant: string
  /** The owner of the thread. `null` reads any owner's, for an operator of the tenant. */
  readonly user: string | null
  readonly thread: string
}

/** Where it begins, by the public id of a checkpoint: `from` is included, `before` is not. At the head unless given. */
export interface HistoryPage {
  /** 1 to 1,000,000; 10 unless told otherwise. */
  readonly limit?: number
  readonly from?: string
  readonly before?: string
}

/** A checkpoint as a reader sees it. */
export interface StateSnapshot<C extends Channels = Channels> {
  /** Public id: its number as text; '0' for a thread without a run. */
  readonly checkpoint: string
  /** `undefined`: it is the thread's first. */
  readonly parent: string | undefined
  readonly values: StateOf<C>
  /** Nodes due next; none at the end of a turn. */
  readonly next: readonly string[]
  /** That made it; '' for a thread without a run. */
  readonly run: string
  /** Superstep in its run; 0 is the input. */
  readonly step: number
  /** Where it came from: what a run was sent, a superstep, or a write from outside. */
  readonly source: 'input' | 'loop' | 'update'
  /** What was asked here and nobody has answered yet. */
  readonly interrupts: readonly PendingInterrupt[]
  /** ISO 8601; '' for a thread without a run. */
  readonly createdAt: string
}

/** A thread without a run. */
export const beforeTheFirst = {
  checkpoint: '0',
  parent: undefined,
  next: [],
  run: '',
  step: 0,
  source: 'input',
  interrupts: [],
  createdAt: '',
} as const

export type Read = Omit<StateSnapshot, 'values'> & { readonly position: Position }

/** One branch, newest first, in one statement. Throws `input_invalid`, `thread_unknown` and `checkpoint_unknown`. */
export async function readHistory(
  checkpointer: Checkpointer,
  { tenant, user, thread }: ThreadAddress,
  { limit: most = 10, from, before }: HistoryPage,
): Promise<Read[]> {
  const limit = wholeNumber('The limit', most, { atLeast: 1, atMost: 1_000_000 })
  assertPrincipal('tenant', tenant)
  if (user !== null) assertPrincipal('user', user)
  assertId('thread', thread)
  const start = before ?? from
  const seq = start === undefined ? null : seqOf(start)
  const skip = before === undefined ? 0 : 1
  const chain = await checkpointer.loadChain({ tenant, thread, owner: user, seq, count: limit + skip })
  if (chain === undefined) throw unknownThread(thread)
  if (chain.frames.length === 0 && start !== undefined) throw unknownCheckpoint(start, thread)
  const newestFirst = positionsAlong(chain.frames, limit + skip).reverse()
  return newestFirst.slice(skip, skip + limit).map(({ frame, position }) => ({
    checkpoint: String(frame.seq),
    parent: frame.parent === 0 ? undefined : String(frame.parent),
    next: position.due.map(({ node }) => node),
    run: frame.run,
    step: frame.step,
    source: frame.updated ? 'update' : frame.step === 0 ? 'input' : 'loop',
    interrupts: chain.asked.filter(({ seq }) => seq === frame.seq).map(pendingInterrupt),
    createdAt: frame.createdAt,
    position,
  }))
}

export function seqOf(checkpoint: string): number {
  if (/^[1-9]\d{0,14}$/.test(checkpoint)) return Number(checkpoint)
  throw new RecollectError('checkpoint_unknown', 'A checkpoint id is a number as text, as history gives it.')
}

export function unknownCheckpoint(checkpoint: string, thread: string): RecollectError {
  return new RecollectError(
    'checkpoint_unknown',
    `Thread "${thread}" has no checkpoint "${checkpoint}". Its history lists those it has.`,
  )
}
