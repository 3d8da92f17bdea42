// What a turn is asked for with, and what it gives.
import type { Position } from '../graph/checkpoint.ts'
import type { BusyStrategy, NewRun } from '../ports/checkpointer.ts'
import type { Emit, PendingInterrupt } from './events.ts'

export interface TurnRequest {
  readonly tenant: string
  /** `null`: whoever owns the thread; only to take over a run whose worker is gone. */
  readonly user: string | null
  readonly thread: string
  /** `undefined`: take over, and bring nothing new. */
  readonly run: TurnRun | undefined
  readonly createThread: boolean
  /** Aborting it cancels the run. */
  readonly signal: AbortSignal | undefined
  /** Aborting it gives the run back, for another worker to go on with. */
  readonly handOver: AbortSignal | undefined
  /** Aborts when nobody reads the run's events any more: from then on they are recorded. */
  readonly left: AbortSignal | undefined
  /** True: they are recorded from the first. */
  readonly record: boolean
  readonly emit: Emit
  /** Another's run whose events are told too. */
  readonly watching: string | undefined
  /** Takes work that may go on when the request has been answered. */
  readonly defer: (work: Promise<unknown>) => void
}

export interface TurnRun extends Pick<NewRun, 'kind' | 'forkFrom' | 'stops'> {
  readonly id: string
  /** Of a `command` and an `update`: an `Edit`. */
  readonly input: unknown
  readonly key: string
  readonly strategy: BusyStrategy
}

export interface TurnResult {
  readonly run: string
  /** `interrupted`: it waits for answers to `interrupts`, or stopped where it was told to. */
  readonly status: 'success' | 'interrupted'
  readonly interrupts: readonly PendingInterrupt[]
  /** The checkpoint that holds the answer. */
  readonly seq: number
  readonly position: Position
  /** Saves time for the next turn; to be done after the answer. Never rejects. */
  readonly afterwards: () => Promise<void>
}

/** Of a turn that no request waits for. */
export const unattended: Omit<TurnRequest, 'tenant' | 'user' | 'thread' | 'run'> = {
  ...{ createThread: false, signal: undefined, handOver: undefined, left: undefined },
  ...{ record: true, watching: undefined, emit: () => {}, defer: () => {} },
}
