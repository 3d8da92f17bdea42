// What a run leaves behind for whoever reads its thread later, and what that reader is told by. How it reads is no matter of a turn.
import type { Graph } from '../graph/graph.ts'
import type { Checkpointer } from '../ports/checkpointer.ts'
import type { Model } from '../ports/model.ts'
import type { OutboxEntry } from '../ports/outbox.ts'
import type { Store } from '../ports/store.ts'
import type { Deliver } from './delivery.ts'

/** Reads threads once they are quiet: `extraction()`. */
export interface Extraction {
  /** From the last turn of a thread on, in milliseconds. */
  readonly afterMs: number
  /** What reads a thread. Throws `graph_invalid` when it lacks something to read it through. */
  reader(through: ReadThrough): Deliver
}

/** What a graph was compiled with, as far as a reader needs it. */
export interface ReadThrough {
  readonly graph: Graph
  readonly checkpointer: Checkpointer | undefined
  readonly store: Store | undefined
  readonly model: Model | undefined
}

/** No topic of an application: its mark is for ours. */
export const extractTopic = '$extract'

/** One a thread, due anew with each turn. No caller can choose an id like it. */
export function extractionMessage(thread: string, { afterMs: debounceMs }: Extraction): OutboxEntry {
  return { id: `${extractTopic}:${thread}`, topic: extractTopic, payload: 'null', debounceMs }
}
