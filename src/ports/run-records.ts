// What is kept of a run beside its checkpoints.
import type { ThreadKey } from './checkpointer.ts'

/** `cancelled` also: rolled back. `interrupted`: by a later run, which goes on from what was kept. `waiting`: for answers, or where it was told to stop. */
export type RunStatus = 'queued' | 'running' | 'success' | 'error' | 'dead' | 'cancelled' | 'interrupted' | 'waiting'

export interface RunError {
  /** That of a RecollectError. */
  readonly code: string
  readonly message: string
}

export interface RunRecord {
  readonly run: string
  readonly thread: string
  readonly graph: string
  readonly status: RunStatus
  /** Supersteps committed so far. */
  readonly step: number
  /** Claims since the last commit. */
  readonly attempts: number
  /** The checkpoint that holds the answer: the last one the run committed; `null`: it has committed none. */
  readonly answer: number | null
  /** `null`: it has not failed. */
  readonly error: RunError | null
  /** Due, and nobody works on it or waits for it: whoever asks may take it up. */
  readonly orphaned: boolean
  /** ISO 8601. */
  readonly createdAt: string
  readonly updatedAt: string
}

/** Every method throws as the `Checkpointer` does. */
export interface RunRecords {
  /** `undefined`: no such run of this thread and owner. */
  get(key: ThreadKey, run: string): Promise<RunRecord | undefined>
  /** Newest first. */
  list(key: ThreadKey, page: { limit: number; offset: number }): Promise<readonly RunRecord[]>
}
