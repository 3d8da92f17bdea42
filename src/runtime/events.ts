// What a run tells while it goes on. An event is emitted only after what it claims is true (T7); text is provisional until a checkpoint is saved.
import type { RecollectError } from '../kernel/errors.ts'
import type { FinishReason } from '../ports/model.ts'

interface TaskPlace {
  readonly step: number
  readonly node: string
}

/** `messageId`: of the message that the reply is to be. `index`: the place of a call in it. `values`: the whole state. `seq`: see `CheckpointSaved`. */
export type RunEvent =
  /** It waits for the thread, behind so many others. */
  | { readonly type: 'run-queued'; readonly run: string; readonly ahead: number }
  | RunStarted
  | ({ readonly type: 'reply-started'; readonly messageId: string } & TaskPlace)
  | ({ readonly type: 'text-delta'; readonly messageId: string; readonly text: string } & TaskPlace)
  | ({
      readonly type: 'tool-call-started'
      readonly messageId: string
      readonly index: number
      readonly id: string
      readonly name: string
    } & TaskPlace)
  | ({
      readonly type: 'tool-call-delta'
      readonly messageId: string
      readonly index: number
      readonly text: string
    } & TaskPlace)
  | ({ readonly type: 'reply-finished'; readonly messageId: string; readonly reason: FinishReason } & TaskPlace)
  /** Whatever the reply said before is void: the node is being tried again. `attempt`: the one that begins. */
  | ({ readonly type: 'task-retried'; readonly attempt: number; readonly error: RecollectError } & TaskPlace)
  | ({ readonly type: 'custom-emitted'; readonly name: string; readonly data: unknown } & TaskPlace)
  | CheckpointSaved
  | { readonly type: 'run-finished'; readonly run: string; readonly seq: number; readonly values: Values }
  | RunInterrupted
  | { readonly type: 'run-failed'; readonly run: string; readonly error: RecollectError }

export interface RunStarted {
  readonly type: 'run-started'
  readonly run: string
  /** `undefined`: the run has none. */
  readonly thread: string | undefined
  /** Which claim on the thread this is; 0 without a thread. */
  readonly epoch: number
  /** Supersteps that were committed before, and the checkpoint that it goes on from. */
  readonly step: number
  readonly seq: number
  /** What storage took before the first node could run, in milliseconds. */
  readonly storageMs: number
  /** Whether the first superstep was begun on the cached state, and was right to. */
  readonly speculation: 'none' | 'kept' | 'dropped'
}

/** It waits for answers, or, where nothing is asked, stopped where it was told to. */
export interface RunInterrupted {
  readonly type: 'run-interrupted'
  readonly run: string
  readonly seq: number
  readonly values: Values
  readonly interrupts: readonly PendingInterrupt[]
}

/** A question that nobody has answered yet. */
export interface PendingInterrupt {
  /** Of its approval. */
  readonly id: string
  /** Place of the task that asks in task order: that in `next` of the state. */
  readonly task: number
  readonly node: string
  /** Name of the interrupt. */
  readonly kind: string
  /** Exactly what is shown. */
  readonly payload: unknown
}

export interface CheckpointSaved {
  readonly type: 'checkpoint-saved'
  /** Number of the checkpoint, as text its public id; 0 without a checkpointer. */
  readonly seq: number
  /** Superstep in the run; 0 is the input. */
  readonly step: number
  /** The whole state. */
  readonly values: Values
  /** In task order. */
  readonly writes: readonly { readonly node: string; readonly update: Values }[]
  /** Nodes due next. */
  readonly next: readonly string[]
}

type Values = Readonly<Record<string, unknown>>

export function isLast({ type }: { readonly type: RunEvent['type'] }): boolean {
  return type === 'run-finished' || type === 'run-interrupted' || type === 'run-failed'
}

/** Whether it ends a worker's part in a run, and not the run. */
export function movesOn({ code }: RecollectError): boolean {
  return code === 'run_handed_over' || code === 'run_fenced'
}

export type Emit = (event: RunEvent) => void
