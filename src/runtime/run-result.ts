// How a run ended, as an application reads it.
import type { Channels, StateOf } from '../graph/channel.ts'
import type { PendingInterrupt } from './events.ts'

export interface RunResult<C extends Channels> {
  readonly run: string
  /** `interrupted`: it waits for answers to `interrupts`, or stopped where it was told to. */
  readonly status: 'success' | 'interrupted'
  /** Empty also where it only stopped. */
  readonly interrupts: readonly PendingInterrupt[]
  /** Public id of the checkpoint that holds the answer; absent without a thread. */
  readonly checkpoint: string | undefined
  /** The whole state at its end. */
  readonly values: StateOf<C>
}
