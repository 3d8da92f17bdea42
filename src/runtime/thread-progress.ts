// A run's steps on their way into the thread: hashes them, commits them, and tells of them once they are there.
import { deltaText, emptyPosition, type Position } from '../graph/checkpoint.ts'
import { difference } from '../graph/delta.ts'
import type { Graph } from '../graph/graph.ts'
import { stateView } from '../graph/plan.ts'
import { seenText } from '../graph/seen.ts'
import { writesText } from '../graph/task-writes.ts'
import type { RecollectError } from '../kernel/errors.ts'
import { hashOf } from '../kernel/hash.ts'
import { encode } from '../kernel/json.ts'
import type { Question } from '../ports/approvals.ts'
import type { NewCheckpoint } from '../ports/chains.ts'
import type { Answer, Checkpointer, ClaimedTurn, ClaimRef, SavedTask, StepCommit } from '../ports/checkpointer.ts'
import type { OutboxEntry } from '../ports/outbox.ts'
import type { Progress, Recorded } from './advance.ts'
import { pendingInterrupt } from './ended-run.ts'
import type { Emit, PendingInterrupt } from './events.ts'
import { lost } from './lease.ts'
import { commitPatienceMs, isUnknownOutcome, resend } from './resend.ts'
import type { FinishedTask } from './superstep.ts'

interface ProgressOptions {
  readonly leaseMs: number
  readonly emit: Emit
  readonly graph: Graph
  /** Goes with the last commit, unless the run was cancelled. */
  readonly extract: OutboxEntry | undefined
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
  #sent = false
  #announced = false
  #pending: { recorded: Recorded; checkpoint: NewCheckpoint }[] = []
  #finished: readonly SavedTask[] = []
  #asked: readonly PendingInterrupt[] = []
  readonly #open: readonly Answer[]

  constructor(checkpointer: Checkpointer, claimed: ClaimedTurn, claim: ClaimRef, options: ProgressOptions) {
    this.#checkpointer = checkpointer
    this.#claim = claim
    this.#options = options
    this.#head = claimed.head
    this.#hash = claimed.hash
    this.#lastSeq = claimed.lastSeq
    this.#step = claimed.step
    this.#open = claimed.answers.filter(({ status }) => status === 'pending')
  }

  get head(): number {
    return this.#head
  }

  get hash(): string {
    return this.#hash
  }

  get lastSeq(): number {
    return this.#lastSeq
  }

  /** What the run waits for, if it does: in this claim's superstep, and before. */
  get asked(): readonly PendingInterrupt[] {
    return this.#asked
  }

  /** Whether messages are due in the outbox since. */
  get sent(): boolean {
    return this.#sent
  }

  /** Whether webhooks wait there. */
  get announced(): boolean {
    return this.#announced
  }

  startAt(position: Position): void {
    this.#position = position
    this.#started = true
  }

  record(recorded: Recorded): void {
    const delta = this.#deltaTo(recorded.position)
    const parentHash = this.#pending.at(-1)?.checkpoint.hash ?? this.#hash
    const seen = seenText(recorded.writes)
    this.#pending.push({ recorded, checkpoint: { step: recorded.step, hash: hashOf(parentHash, delta), delta, seen } })
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

  commit(status: 'running' | 'success' | 'waiting'): Promise<void> {
    return this.#send({ status })
  }

  /** What a task has finished must be kept here: it would be run again, and others wait for an answer meanwhile. */
  async suspend(questions: readonly Question[], finished: readonly FinishedTask[]): Promise<void> {
    const saved = finished.map(({ task, writes }) => ({ task, key: '', value: writesText(writes) }))
    await this.#send({ status: 'waiting', questions, saved })
    this.#asked = [...this.#open, ...questions].map(pendingInterrupt)
  }

  keep(finished: readonly FinishedTask[]): void {
    this.#finished = finished.flatMap(savedTask)
  }

  /**
   * Ends the run in the thread: the input stays, the reason is readable, and what tasks have finished is kept for whoever goes
   * on. A lost claim, or a silent database, leaves it to whoever takes over. A worker that has to go, and one whose database
   * was silent before the start, gives it back at once.
   */
  async fail(failure: RecollectError): Promise<void> {
    if (failure.code === 'run_fenced' || !this.#sure) return
    if (failure.code === 'run_handed_over' || (!this.#started && failure.code === 'storage_unavailable')) {
      const release = () => this.#checkpointer.releaseTurn(this.#claim, this.#finished)
      await resend(release, releasePatienceMs).catch(() => {})
      return
    }
    const cancelled = failure.code === 'run_cancelled'
    // What the failed superstep recorded is not kept; its input is.
    this.#pending = this.#pending.filter(({ recorded }) => recorded.step === 0)
    this.#step = this.#step + 1
    const error = { status: 'error', error: errorOf(failure), saved: this.#finished } as const
    await this.#send(cancelled ? { status: 'cancelled' } : error).catch(() => {})
  }

  async #send({ error = null, saved = [], questions = [], ...end }: CommitParts): Promise<void> {
    const pending = this.#pending
    const { extract } = this.#options
    const extracts = extract !== undefined && end.status !== 'running' && end.status !== 'cancelled'
    const messages = [...pending.flatMap(({ recorded }) => messagesOf(recorded)), ...(extracts ? [extract] : [])]
    const commit: StepCommit = {
      ...this.#claim,
      head: this.#head,
      hash: this.#hash,
      step: this.#step,
      checkpoints: pending.map(({ checkpoint }) => checkpoint),
      ...{ status: end.status, error, saved, messages, questions },
      leaseMs: this.#options.leaseMs,
    }
    this.#sure = false
    const outcome = await resend(() => this.#checkpointer.commitStep(commit), commitPatienceMs).catch(
      (error: unknown) => {
        this.#sure = !isUnknownOutcome(error)
        throw error
      },
    )
    this.#sure = true
    if (outcome.outcome === 'fenced') throw lost(this.#claim, outcome.status === 'cancelled' ? 'cancelled' : 'fenced')
    this.#pending = []
    this.#sent ||= messages.some(({ debounceMs = 0 }) => debounceMs === 0)
    this.#announced ||= (outcome.announced ?? 0) > 0
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
    const updates = writes.map(({ node, update }) => ({ node, update }))
    emit({ type: 'checkpoint-saved', seq: this.#head, step, values, writes: updates, next })
  }
}

type CommitParts = Pick<StepCommit, 'status'> & Partial<Pick<StepCommit, 'error' | 'saved' | 'questions'>>

/** A worker that has to go has little time left. */
const releasePatienceMs = 2_000

function errorOf({ code, message }: RecollectError) {
  return { code, message }
}

/** None for writes that cannot be stored: that task runs again. */
function savedTask({ task, writes }: FinishedTask): SavedTask[] {
  try {
    return [{ task, key: '', value: writesText(writes) }]
  } catch {
    return []
  }
}

/** Their ids are the same whenever the superstep is committed again. */
function messagesOf({ writes, name }: Recorded): OutboxEntry[] {
  if (name === undefined) return []
  return writes.flatMap(({ sent = [] }, task) =>
    sent.map(({ topic, payload }, index) => ({
      id: `${name.run}:${name.step}:${task}.${index + 1}`,
      topic,
      payload: encode(payload),
    })),
  )
}
