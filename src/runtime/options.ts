// What a graph is compiled with, and what a run is begun with.

import type { Namespace } from '../kernel/namespace.ts'
import type { Cache } from '../ports/cache.ts'
import type { BusyStrategy, Checkpointer, Orphan } from '../ports/checkpointer.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { Model } from '../ports/model.ts'
import type { Store } from '../ports/store.ts'
import type { Env } from './context.ts'
import type { Deliver, WebhookSender } from './delivery.ts'
import type { Emit } from './events.ts'
import type { Extraction } from './extraction.ts'
import { harmless } from './harmless.ts'
import type { ThreadAddress } from './history.ts'

export interface CompileOptions {
  /** Remembers threads. Without one every run starts from nothing. */
  readonly checkpointer?: Checkpointer
  /** Saves the load of a thread. */
  readonly cache?: Cache
  /** Keeps what runs tell, for readers who come back to another worker. */
  readonly events?: EventLog
  /** Answers where nodes ask `context.model`. */
  readonly model?: Model
  /** Remembers across threads. */
  readonly store?: Store
  /** Namespaces that everybody of a tenant may read beside their own, `['users', <user>]`. None unless told otherwise. */
  readonly sharedNamespaces?: readonly Namespace[]
  /** Reads each thread once it is quiet, and remembers lasting facts of what was said: `extraction()`. Never unless told. */
  readonly extract?: Extraction
  /** What nodes and tools find as `context.env`: bindings and settings. */
  readonly env?: Env
  /** The graph's name in stored runs. `default` unless told otherwise. */
  readonly name?: string
  /** Freeze all that nodes see, for tests and development; arrays and their elements always are. */
  readonly deepFreeze?: boolean
  /** False: nothing runs before its thread is claimed. What a wrong guess throws away still costs its prompt. */
  readonly speculate?: boolean
  /** How long a silent worker keeps its thread, in milliseconds. 60,000 unless told otherwise. */
  readonly leaseMs?: number
  /** Who delivers what nodes put in the outbox, by topic. Others are `topic_unknown` where they are sent. */
  readonly deliver?: Readonly<Record<string, Deliver>>
  /** Tells endpoints of the tenant at once what is in the outbox for them. Without it, or when it fails, the cron does. */
  readonly webhooks?: WebhookSender
  /**
   * Takes a run that this worker had to give back: a queue, whose consumer calls `finish`. Without it, or when it fails, the
   * next request or the cron goes on with the run.
   */
  readonly passOn?: (run: Orphan) => Promise<unknown>
  /** How long a thread that a run makes lives after its last turn, in milliseconds. Until it is deleted unless told otherwise. */
  readonly threadTtlMs?: number
  /** About how many checkpoints are kept of a branch: between so many and twice as many, and what is needed to read them. All unless told otherwise. */
  readonly keepCheckpoints?: number
  /** Nodes that every run stops before, or after, until it is told to go on; `*`: all. None unless told otherwise. */
  readonly interruptBefore?: Stops
  readonly interruptAfter?: Stops
}

/** Names of nodes; `*`: all. */
export type Stops = '*' | readonly string[]

export interface RunOptions extends Partial<ThreadAddress> {
  /** Whose the thread and the memories are. Nobody's unless told otherwise; a thread needs one, as it does a tenant. */
  readonly user?: string
  /** This run's id; random unless given. */
  readonly run?: string
  /** The same key in the same thread is the same run: it is answered again, not run again. The run's id unless given. */
  readonly key?: string
  /** What to do on a thread that is busy with another run. `reject` unless told otherwise. */
  readonly strategy?: BusyStrategy
  /** The checkpoint that it begins at, in the place of the head: a fork. */
  readonly from?: string
  /** Of this run, in the place of those that the graph was compiled with. */
  readonly interruptBefore?: Stops
  readonly interruptAfter?: Stops
  /** False: an unknown thread is `thread_unknown`. True unless told otherwise. */
  readonly createThread?: boolean
  /** Aborting it cancels the run. */
  readonly signal?: AbortSignal
  /** Aborting it gives the run back: another worker goes on from the last commit. */
  readonly handOver?: AbortSignal
  /** Aborts when nobody reads the run's events any more: from then on they are recorded in the event log. */
  readonly left?: AbortSignal
  /** True: they are recorded from the first. */
  readonly record?: boolean
  /** Takes what may happen after the answer (a Worker's `ctx.waitUntil`). Without it the answer waits. */
  readonly waitUntil?: (work: Promise<unknown>) => void
  /** Is told each event. One that throws is told no more, and the run goes on. */
  readonly emit?: Emit
}

/** Who hears of a run, and what ends the hearing. */
export type Attendance = Pick<RunOptions, 'signal' | 'handOver' | 'left' | 'record' | 'waitUntil' | 'emit'>

export interface ResumeOptions extends Attendance {
  readonly tenant: string
  /** Whose threads the answers may be for; `null`: all of the tenant. */
  readonly user: string | null
  /** Who answers, kept with the answer. `user` unless told otherwise. */
  readonly by?: string
  /** The road that the answers come by, kept too. `code` unless told otherwise. */
  readonly via?: string
}

export function attendance({ signal, handOver, left, record = false, waitUntil = () => {}, emit }: Attendance) {
  return { signal, handOver, left, record, watching: undefined, emit: harmless(emit), defer: waitUntil }
}
