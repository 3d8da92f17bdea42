// A run's steps on their way into the thread: hashes them, commits them, and tells of them once they are there.
import { deltaText, emptyPosition, type Position } from '../graph/checkpoint.ts'
import { difference } from '../graph/delta.ts'
import type { Graph } from '../graph/graph.ts'
import { stateView } from '../graph/plan.ts'
import type { RecollectError } from '../kernel/errors.ts'
import { hashOf } from '../kernel/hash.ts'
import { encode } from '../kernel/json.ts'
import type { Checkpointer, ClaimedTurn, ClaimRef, NewCheckpoint, StepCommit } from '../ports/checkpointer.ts'
import type { Progress, Recorded } from './advance.ts'
import type { Emit } from './events.ts'
import { fenced } from './lease.ts'
import { isUnknownOutcome, resend } from './resend.ts'

interface ProgressOptions {
  readonly leaseMs: number
  readonly patienceMs: number
  readonly emit: Emit
  readonly graph: Graph
}

export class ThreadProgress implements Progress {
  readonly #checkpointer: Checkpointer
  readonly #claim: ClaimRef
  readonly #options: ProgressOptions
  #position: Position = emptyPosition
  #head: number
  #hash: string
  #lastSeq: number
  #step: number
  #started = false
  /** Whether the last commit's fate is known; after an unknown one nothing more may be said (T8). */
  #sure = true
  #pending: { recorded: Recorded; checkpoint: NewCheckpoint }[] = []

  constructor(checkpointer: Checkpointer, claimed: ClaimedTurn, claim: ClaimRef, options: ProgressOptions) {
    this.#checkpointer = checkpointer
    this.#claim = claim
    this.#options = options
    this.#head = claimed.head
    this.#hash = claimed.hash
    this.#lastSeq = claimed.lastSeq
    this.#step = claimed.step
  }

  get head(): number {
    return this.#head
  }

  get hash(): string {
    return this.#hash
  }

  startAt(position: Position): void {
    this.#position = position
    this.#started = true
  }

  record(recorded: Recorded): void {
    const delta = this.#deltaTo(recorded.position)
    const parentHash = this.#pending.at(-1)?.checkpoint.hash ?? this.#hash
    this.#pending.push({ recorded, checkpoint: { step: recorded.step, hash: hashOf(parentHash, delta), delta } })
    this.#position = recorded.position
    this.#step = recorded.step
  }

  #deltaTo(position: Position): string {
    try {
      return deltaText(difference(this.#position, position))
    } catch (error) {
      // Says where it is in the state: a user knows that place, and not the one in the delta.
      encode(position.values)
      throw error
    }
  }

  commit(status: 'running' | 'success'): Promise<void> {
    return this.#send(status, null)
  }

  /** Ends the run in the thread: the input stays, the reason is readable. A lost claim, or a silent database, leaves it to whoever takes over; one that was silent before the start does so at once. */
  async fail(failure: RecollectError): Promise<void> {
    if (failure.code === 'run_fenced' || !this.#sure) return
    if (!this.#started && failure.code === 'storage_unavailable') {
      await this.#checkpointer.releaseTurn(this.#claim).catch(() => {})
      return
    }
    const cancelled = failure.code === 'run_cancelled'
    // What the failed superstep recorded is not kept; its input is.
    this.#pending = this.#pending.filter(({ recorded }) => recorded.step === 0)
    this.#step = this.#step + 1
    const error = cancelled ? null : { code: failure.code, message: failure.message }
    await this.#send(cancelled ? 'cancelled' : 'error', error).catch(() => {})
  }

  async #send(status: StepCommit['status'], error: StepCommit['error']): Promise<void> {
    const { leaseMs, patienceMs } = this.#options
    const pending = this.#pending
    const commit: StepCommit = {
      ...this.#claim,
      head: this.#head,
      hash: this.#hash,
      step: this.#step,
      checkpoints: pending.map(({ checkpoint }) => checkpoint),
      status,
      error,
      leaseMs,
    }
    this.#sure = false
    const { outcome } = await resend(() => this.#checkpointer.commitStep(commit), patienceMs).catch(
      (error: unknown) => {
        this.#sure = !isUnknownOutcome(error)
        throw error
      },
    )
    this.#sure = true
    if (outcome === 'fenced') throw fenced(this.#claim.thread)
    this.#pending = []
    for (const { recorded, checkpoint } of pending) {
      this.#lastSeq++
      this.#head = this.#lastSeq
      this.#hash = checkpoint.hash
      this.#tell(recorded)
    }
  }

  #tell({ step, position, writes }: Recorded): void {
    const { emit, graph } = this.#options
    const values = stateView(graph, position.values)
    const next = position.due.map(({ node }) => node)
    emit({ type: 'checkpoint-saved', seq: this.#head, step, values, writes, next })
  }
}
