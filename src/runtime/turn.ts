// One turn on a thread: claim, load, advance, commit, answer. This file alone decides the order.
//
// T1 Postgres is the truth: a turn whose commit failed has not happened, and "finished" is said only after the commit.
// T2 Correctness rests on the compare-and-set of epoch, head and hash under the row lock; never on lease, cache or clock.
// T3 No thread's state outlives its turn in the isolate.
// T4 In a superstep all nodes see the same checkpoint; writes are applied in task order, whatever order they finish in.
// T5 A task that finished is not torn, and not run again, because a sibling failed: what it wrote is saved by the commit of the
//    failure, and found by whoever goes on from there. After a crash it runs again (T9).
// T6 A node that runs again runs from its top; what must not be repeated is a part of it, made once and saved under a key.
// T7 An event is emitted only after what it claims is true; event and message ids contain the epoch.
// T8 A write of unknown outcome is resent unchanged, and every write is idempotent: a claim by its token, a commit by
//    step and epoch. At most one commit is in flight; nothing names checkpoint k before commit k is acknowledged.
// T9 A tool call is at least once, with the key run:step:task. Exactly-once is promised for recording, in those words.
import { emptyPosition, type Position } from '../graph/checkpoint.ts'
import type { Graph } from '../graph/graph.ts'
import { stateView } from '../graph/plan.ts'
import { asRecollectError } from '../kernel/errors.ts'
import { randomId } from '../kernel/id.ts'
import type { Cache } from '../ports/cache.ts'
import type { BusyStrategy, Checkpointer, ClaimRef, Orphan } from '../ports/checkpointer.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { Model } from '../ports/model.ts'
import { advance, takeIn } from './advance.ts'
import { afterAnswer } from './after-answer.ts'
import {
  abandon,
  beginOf,
  type Claim,
  claimPatienceMs,
  fits,
  inlineBytes,
  inputsOf,
  startingPosition,
} from './claim.ts'
import type { Env } from './context.ts'
import type { Deliver } from './delivery.ts'
import { answerOf } from './ended-run.ts'
import type { Emit, RunEvent } from './events.ts'
import { cancelled, handedOver, heldLease, lost } from './lease.ts'
import { turnToCome } from './queue.ts'
import { refusal, unknownRun, unknownThread } from './refusal.ts'
import { commitPatienceMs, isUnknownOutcome, resend } from './resend.ts'
import { runAhead } from './speculation.ts'
import { TaskParts } from './task-parts.ts'
import { telling } from './telling.ts'
import { readCandidate } from './thread-cache.ts'
import { ThreadProgress } from './thread-progress.ts'

/** What turns are taken with. */
export interface House {
  readonly name: string
  readonly graph: Graph
  readonly checkpointer: Checkpointer
  readonly cache: Cache | undefined
  readonly events: EventLog | undefined
  readonly model: Model | undefined
  readonly env: Env
  readonly deepFreeze: boolean
  readonly speculate: boolean
  readonly leaseMs: number
  /** By topic. */
  readonly deliver: Readonly<Record<string, Deliver>>
  readonly topics: readonly string[]
  /** Takes a run that was given back. */
  readonly passOn: ((run: Orphan) => Promise<unknown>) | undefined
  /** Of threads that turns make. */
  readonly threadTtlMs: number | undefined
  /** Checkpoints kept of a branch; `undefined`: all. */
  readonly keepCheckpoints: number | undefined
}

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
  readonly defer: (work: Promise<void>) => void
}

export interface TurnRun {
  readonly id: string
  readonly input: unknown
  readonly key: string
  readonly strategy: BusyStrategy
}

export interface TurnResult {
  readonly run: string
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

/** `undefined` when asked to take over and nothing was due. An older run whose worker is gone is finished first. */
export async function takeTurn(house: House, request: TurnRequest): Promise<TurnResult | undefined> {
  const { tenant, thread, user } = request
  const queuedAt = performance.now()
  // Whether the run has a row from an earlier answer: then it stays in line whatever becomes of this request.
  let kept = false
  for (let first = true; ; first = false) {
    const begunAt = performance.now()
    const reading = user === null ? undefined : readCandidate(house.cache, { tenant, thread, owner: user }) // A
    const guessing =
      first && house.speculate
        ? // A state that cannot even be planned on is no guess.
          reading?.then((candidate) => candidate && runAhead(house, request, candidate)).catch(() => undefined)
        : undefined
    const token = randomId()
    // A thread that is deleted while a turn waits for it stays deleted.
    const begin = { ...beginOf(house, request, token), ...(!first && { createThread: false }) }
    const claim = await resend(() => house.checkpointer.beginTurn(begin), claimPatienceMs).catch((error: unknown) => {
      guessing?.then((ahead) => ahead?.drop())
      // Of a take-over nobody was told anything: its claim, if it has landed, ends by itself.
      if (isUnknownOutcome(error) && request.run) request.defer(abandon(house.checkpointer, begin, kept))
      throw error
    }) // B
    const candidate = await reading
    const ahead = await guessing
    if (claim.outcome === 'claimed') {
      const result = await workOn(house, request, { ...claim, token, candidate, ahead, begunAt }) // C
      if (claim.mine || request.run === undefined) return result
      if (request.handOver?.aborted) throw handedOver()
      continue
    }
    ahead?.drop()
    if (claim.outcome === 'ended') {
      if (kept && claim.run.status === 'cancelled') throw cancelled()
      const answer = await answerOf(house.checkpointer, request, claim.run)
      // Somebody else has run it while it waited in line: whoever watches is told how it ended.
      if (kept) request.emit(finished(house.graph, answer))
      return answer
    }
    if (claim.outcome === 'nothing-due') return undefined
    if (claim.outcome !== 'queued') throw refusal(request.thread, claim)
    if (!kept) request.emit({ type: 'run-queued', run: claim.run, ahead: claim.ahead })
    kept = true
    await turnToCome(claim, request, queuedAt)
    if (!request.signal?.aborted) continue
    await cancelTurn(house, request, claim.run)
    throw cancelled()
  }
}

function finished(graph: Graph, { run, seq, position }: Pick<TurnResult, 'run' | 'seq' | 'position'>): RunEvent {
  return { type: 'run-finished', run, seq, values: stateView(graph, position.values) }
}

/**
 * Ends a run, wherever it works or waits. What it was sent with stays in the thread if it had begun; what it had not yet said
 * does not. Throws `thread_unknown` and `run_unknown`; a run that has ended before is left as it is.
 */
export async function cancelTurn(house: House, request: Omit<TurnRequest, 'run'>, run: string): Promise<void> {
  const { tenant, thread, user } = request
  const begunAt = performance.now()
  const token = randomId()
  const asked = { tenant, thread, owner: user, run, token, leaseMs: house.leaseMs, inlineBytes }
  const claim = await resend(() => house.checkpointer.cancelRun(asked), claimPatienceMs)
  if (claim.outcome === 'unknown-thread') throw unknownThread(thread)
  if (claim.outcome === 'unknown-run') throw unknownRun(thread, run)
  if (claim.outcome === 'ended') return
  const attempt = { token, candidate: undefined, ahead: undefined, begunAt }
  await workOn(house, { ...request, run: undefined }, { ...claim, ...attempt })
}

async function workOn(house: House, request: TurnRequest, claim: Claim): Promise<TurnResult> {
  const { checkpointer, graph, leaseMs } = house
  const { tenant, thread, handOver } = request
  const ref: ClaimRef = { tenant, thread, run: claim.run, epoch: claim.epoch, token: claim.token }
  const { emit, recorded } = telling(house, request, claim)
  const lease = heldLease(checkpointer, ref, { leaseMs, handOver, cancel: claim.mine ? request.signal : undefined })
  const progress = new ThreadProgress(checkpointer, claim, ref, { leaseMs, emit, graph })
  try {
    const ahead = fits(claim, request) ? claim.ahead : undefined
    if (ahead === undefined) claim.ahead?.drop()
    const start = await startingPosition(checkpointer, request, claim)
    const speculation = ahead !== undefined ? 'kept' : claim.ahead === undefined ? 'none' : 'dropped'
    const storageMs = performance.now() - claim.begunAt
    const { epoch, step, head } = claim
    emit({ type: 'run-started', run: claim.run, thread, epoch, step, seq: head, storageMs, speculation })
    progress.startAt(start)
    const held = { epoch, parts: partsOf(checkpointer, ref, claim) }
    ahead?.keep({ held, emit, signal: lease.signal })
    const place = { tenant, user: claim.owner, thread, run: claim.run }
    const scope = { ...house, ...place, held, signal: lease.signal, emit }
    const position = takeIn({ graph, position: start, scope, progress }, inputsOf(claim))
    if (claim.cancelled) throw cancelled()
    const { deepFreeze } = house
    const end = await advance({
      graph,
      position,
      step,
      name: claim.superstep,
      scope,
      progress,
      deepFreeze,
      ahead: ahead?.result,
    })
    const { head: seq, hash, lastSeq, sent } = progress
    emit(finished(graph, { run: claim.run, seq, position: end }))
    const ended = { start, tip: { seq, hash, position: end }, lastSeq, sent }
    const afterwards = () => afterAnswer(house, { tenant, thread }, claim, ended) // D
    return { run: claim.run, seq, position: end, afterwards }
  } catch (error) {
    const failure = asRecollectError(error, 'internal', 'The run failed for a reason that recollect does not know.')
    await progress.fail(failure)
    emit({ type: 'run-failed', run: claim.run, error: failure })
    if (failure.code === 'run_handed_over') request.defer(passOn(house, { tenant, thread, run: claim.run }))
    if (claim.mine || (request.run === undefined && !claim.cancelled)) throw failure
    return { run: claim.run, seq: progress.head, position: emptyPosition, afterwards: async () => {} }
  } finally {
    lease.end()
    request.defer(recorded())
  }
}

async function passOn({ passOn: take, name: graph }: House, run: Omit<Orphan, 'graph'>): Promise<void> {
  await take?.({ ...run, graph }).catch(() => {})
}

function partsOf(checkpointer: Checkpointer, ref: ClaimRef, claim: Claim): TaskParts {
  return new TaskParts(async (part) => {
    const kept = await resend(() => checkpointer.saveTask(ref, part), commitPatienceMs)
    // What was made is kept nowhere.
    if (kept === undefined) throw lost(ref, 'fenced')
    return kept
  }, claim)
}
