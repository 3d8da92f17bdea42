// One turn on a thread: claim, load, advance, commit, answer. This file alone decides the order.
//
// T1 Postgres is the truth: a turn whose commit failed has not happened, and "finished" is said only after the commit.
// T2 Correctness rests on the compare-and-set of epoch, head and hash under the row lock; never on lease, cache or clock.
// T3 No thread's state outlives its turn in the isolate.
// T4 In a superstep all nodes see the same checkpoint; writes are applied in task order, whatever order they finish in.
// T5 A task that finished is not torn because a sibling failed.
// T6 (interrupts: a node that asked runs again from its top when answered.)
// T7 An event is emitted only after what it claims is true; event and message ids contain the epoch.
// T8 A write of unknown outcome is resent unchanged, and every write is idempotent: a claim by its token, a commit by
//    step and epoch. At most one commit is in flight; nothing names checkpoint k before commit k is acknowledged.
// T9 A tool call is at least once, with the key run:step:task. Exactly-once is promised for recording, in those words.
import { emptyPosition, type Position } from '../graph/checkpoint.ts'
import type { Graph } from '../graph/graph.ts'
import { stateView } from '../graph/plan.ts'
import { asRecollectError, RecollectError } from '../kernel/errors.ts'
import { hashOf } from '../kernel/hash.ts'
import { randomId } from '../kernel/id.ts'
import { encode } from '../kernel/json.ts'
import type { Cache, CacheKey } from '../ports/cache.ts'
import type { BeginTurn, BusyStrategy, Checkpointer, ClaimRef } from '../ports/checkpointer.ts'
import type { Model } from '../ports/model.ts'
import { advance } from './advance.ts'
import { type Claim, claimPatienceMs, fits, inputsOf, startingPosition } from './claim.ts'
import type { Env } from './context.ts'
import { answerOf } from './ended-run.ts'
import type { Emit, RunEvent } from './events.ts'
import { heldLease } from './lease.ts'
import { turnToCome } from './queue.ts'
import { refusal } from './refusal.ts'
import { isUnknownOutcome, resend } from './resend.ts'
import { dueSnapshot } from './snapshot.ts'
import { runAhead } from './speculation.ts'
import { readCandidate, writeTip } from './thread-cache.ts'
import { ThreadProgress } from './thread-progress.ts'

/** What turns are taken with. */
export interface House {
  readonly name: string
  readonly graph: Graph
  readonly checkpointer: Checkpointer
  readonly cache: Cache | undefined
  readonly model: Model | undefined
  readonly env: Env
  readonly deepFreeze: boolean
  readonly speculate: boolean
  readonly leaseMs: number
}

export interface TurnRequest {
  readonly tenant: string
  /** `null`: whoever owns the thread; only to take over a run whose worker is gone. */
  readonly user: string | null
  readonly thread: string
  /** `undefined`: take over, and bring nothing new. */
  readonly run: TurnRun | undefined
  readonly createThread: boolean
  readonly signal: AbortSignal | undefined
  readonly emit: Emit
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

const inlineBytes = 16_384
const maxAttempts = 5
/** Longer than one statement may take: what the model said is worth a second try. */
const commitPatienceMs = 20_000

/** `undefined` when asked to take over and nothing was due. An older run whose worker is gone is finished first. */
export async function takeTurn(house: House, request: TurnRequest): Promise<TurnResult | undefined> {
  const { user } = request
  const queuedAt = performance.now()
  // Whether the run has a row from an earlier answer: then it stays in line whatever becomes of this request.
  let kept = false
  for (let first = true; ; first = false) {
    const begunAt = performance.now()
    const reading = user === null ? undefined : readCandidate(house.cache, cacheKey(request, user)) // A
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
      if (isUnknownOutcome(error)) request.defer(abandon(house.checkpointer, begin, kept))
      throw error
    }) // B
    const candidate = await reading
    const ahead = await guessing
    if (claim.outcome === 'claimed') {
      const result = await workOn(house, request, { ...claim, token, candidate, ahead, begunAt }) // C
      if (claim.mine || request.run === undefined) return result
      continue
    }
    ahead?.drop()
    if (claim.outcome === 'ended') {
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
  }
}

/** The caller is told that nothing has begun: so be it, though the claim may have landed. */
async function abandon(
  checkpointer: Checkpointer,
  { tenant, thread, token, run }: BeginTurn,
  kept: boolean,
): Promise<void> {
  const attempt = { tenant, thread, token, run: kept ? null : (run?.run ?? null) }
  await resend(() => checkpointer.abandonTurn(attempt), commitPatienceMs).catch(() => {})
}

function finished(graph: Graph, { run, seq, position }: Pick<TurnResult, 'run' | 'seq' | 'position'>): RunEvent {
  return { type: 'run-finished', run, seq, values: stateView(graph, position.values) }
}

function beginOf(
  { name, leaseMs }: House,
  { tenant, user, thread, run, createThread }: TurnRequest,
  token: string,
): BeginTurn {
  const input = run === undefined ? '' : encodedInput(run.input)
  return {
    tenant,
    thread,
    owner: user,
    createThread: createThread && run !== undefined,
    run:
      run === undefined
        ? null
        : { run: run.id, key: run.key, bodyHash: hashOf(name, input), input, strategy: run.strategy },
    graph: name,
    token,
    leaseMs,
    inlineBytes,
    maxAttempts,
  }
}

function encodedInput(input: unknown): string {
  try {
    return encode(input)
  } catch (error) {
    throw new RecollectError('input_invalid', `The input cannot be saved. ${(error as Error).message}`, {
      cause: error,
    })
  }
}

async function workOn(house: House, request: TurnRequest, claim: Claim): Promise<TurnResult> {
  const { checkpointer, graph } = house
  const { tenant, thread } = request
  const held: ClaimRef = { tenant, thread, run: claim.run, epoch: claim.epoch, token: claim.token }
  // An older run's events are not those of the request that finishes it.
  const emit = claim.mine ? request.emit : () => {}
  const lease = heldLease(checkpointer, held, house.leaseMs, claim.mine ? request.signal : undefined)
  const progress = new ThreadProgress(checkpointer, claim, held, {
    leaseMs: house.leaseMs,
    patienceMs: commitPatienceMs,
    emit,
    graph,
  })
  try {
    const ahead = fits(claim, request) ? claim.ahead : undefined
    if (ahead === undefined) claim.ahead?.drop()
    const start = await startingPosition(checkpointer, request, claim)
    const speculation = ahead !== undefined ? 'kept' : claim.ahead === undefined ? 'none' : 'dropped'
    const storageMs = performance.now() - claim.begunAt
    emit({ type: 'run-started', run: claim.run, thread, epoch: claim.epoch, storageMs, speculation })
    progress.startAt(start)
    ahead?.keep({ epoch: claim.epoch, emit, signal: lease.signal })
    const position = await advance({
      graph,
      position: start,
      step: claim.step,
      inputs: inputsOf(claim),
      scope: {
        ...house,
        tenant,
        user: claim.owner,
        thread,
        run: claim.run,
        epoch: claim.epoch,
        signal: lease.signal,
        emit,
      },
      progress,
      deepFreeze: house.deepFreeze,
      ahead,
    })
    const { head, hash } = progress
    emit(finished(graph, { run: claim.run, seq: head, position }))
    const afterwards = () => afterAnswer(house, claim, held, start, { seq: head, hash, position }) // D
    return { run: claim.run, seq: head, position, afterwards }
  } catch (error) {
    const failure = asRecollectError(error, 'internal', 'The run failed for a reason that recollect does not know.')
    await progress.fail(failure)
    emit({ type: 'run-failed', run: claim.run, error: failure })
    if (claim.mine || request.run === undefined) throw failure
    return { run: claim.run, seq: progress.head, position: emptyPosition, afterwards: async () => {} }
  } finally {
    lease.end()
  }
}

/** Only ever saves time: whatever fails here is made good by the next turn. */
async function afterAnswer(
  { checkpointer, cache }: House,
  claim: Claim,
  { tenant, thread }: ClaimRef,
  start: Position,
  tip: { seq: number; hash: string; position: Position },
): Promise<void> {
  const caching = cache && writeTip(cache, cacheKey({ tenant, thread }, claim.owner), claim.candidate, tip)
  const { head: seq, hash } = claim
  const text = dueSnapshot(claim, start)
  const snapshot = text !== undefined && checkpointer.putSnapshot({ tenant, thread, seq, hash, text })
  await Promise.allSettled([caching, snapshot])
}

function cacheKey({ tenant, thread }: { tenant: string; thread: string }, owner: string): CacheKey {
  return { tenant, thread, owner }
}
