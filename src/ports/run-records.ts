// What is kept of a run beside its checkpoints.
import type { ThreadKey } from './checkpointer.ts'

/** `cancelled` also: rolled back. `interrupted`: by a later run, which goes on from what was kept. */
export type RunStatus = 'queued' | 'running' | 'success' | 'error' | 'dead' | 'cancelled' | 'interrupted'

export interface RunError {
  readonly code: string
  readonly message: string
}

export interface RunRecord {
  readonly run: string
  readonly thread: string
  readonly graph: string
  readonly status: RunStatus
  readonly step: number
  readonly attempts: number
  /** The checkpoint that holds the answer: the last one the run committed. */
  readonly answer: number | null
  readonly error: RunError | null
  /** Due, and nobody works on it or waits for it: whoever asks may take it up. */
  readonly orphaned: boolean
  readonly createdAt: string
  readonly updatedAt: string
}

export interface RunRecords {
  get(key: ThreadKey, run: string): Promise<RunRecord | undefined>
  /** Newest first. */
  list(key: ThreadKey, page: { limit: number; offset: number }): Promise<readonly RunRecord[]>
}
