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
import { decode, encode } from '../kernel/json.ts'
import type { Cache, CacheKey } from '../ports/cache.ts'
import type { BeginTurn, Checkpointer, ClaimedTurn, ClaimRef, RunRecord } from '../ports/checkpointer.ts'
import type { Model } from '../ports/model.ts'
import { advance } from './advance.ts'
import { positionAt } from './chain.ts'
import type { Env } from './context.ts'
import type { Emit } from './events.ts'
import { heldLease } from './lease.ts'
import { resend } from './resend.ts'
import { dueSnapshot } from './snapshot.ts'
import { type Candidate, readCandidate, writeTip } from './thread-cache.ts'
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
  readonly leaseMs: number
}

export interface TurnRequest {
  readonly tenant: string
  /** `null`: whoever owns the thread; only to take over a run whose worker is gone. */
  readonly user: string | null
  readonly thread: string
  /** `undefined`: take over, and bring nothing new. */
  readonly run: { readonly id: string; readonly input: unknown; readonly key: string } | undefined
  readonly createThread: boolean
  readonly signal: AbortSignal | undefined
  readonly emit: Emit
}

export interface TurnResult {
  readonly run: string
  /** The checkpoint that holds the answer. */
  readonly seq: number
  readonly position: Position
  /** What saves time for the next turn: not awaited before the answer. Never rejects. */
  readonly afterwards: Promise<void>
}

const inlineBytes = 16_384
const maxAttempts = 5
const claimPatienceMs = 500
/** Longer than one statement may take: what the model said is worth a second try. */
const commitPatienceMs = 20_000

/** `undefined` when asked to take over and nothing was due. An older run whose worker is gone is finished first. */
export async function takeTurn(house: House, request: TurnRequest): Promise<TurnResult | undefined> {
  for (;;) {
    const begunAt = performance.now()
    const reading = request.user === null ? undefined : readCandidate(house.cache, cacheKey(request, request.user)) // A
    const token = randomId()
    const begin = beginOf(house, request, token)
    const claim = await resend(() => house.checkpointer.beginTurn(begin), claimPatienceMs) // B
    switch (claim.outcome) {
      case 'claimed': {
        const result = await workOn(house, request, { ...claim, token, candidate: await reading }, begunAt) // C
        if (claim.mine || request.run === undefined) return result
        break
      }
      case 'ended':
        return await endedTurn(house, request, claim.run)
      case 'nothing-due':
        return undefined
      case 'unknown-thread':
        throw unknownThread(request.thread)
      case 'key-reused':
        throw new RecollectError(
          'key_reused',
          'This idempotency key was used in this thread with another request. Use a fresh key for a new request.',
        )
      case 'busy':
        throw busy(request.thread, claim)
    }
  }
}

export function unknownThread(thread: string): RecollectError {
  return new RecollectError(
    'thread_unknown',
    `There is no thread "${thread}". Create it, or check its id and the token's user.`,
  )
}

/** Most turns take seconds. The lease says only how long a worker that is gone keeps its thread. */
const busyRetryMs = 2_000

function busy(thread: string, { run, retryAfterMs }: { run: string; retryAfterMs: number }): RecollectError {
  return new RecollectError('thread_busy', `Thread "${thread}" is busy with another run. Try again in a moment.`, {
    retryAfterMs: Math.min(retryAfterMs, busyRetryMs),
    details: { run, leaseLeftMs: retryAfterMs },
  })
}

function beginOf(
  { name, leaseMs }: House,
  { tenant, user, thread, run, createThread }: TurnRequest,
  token: string,
): BeginTurn {
  const input = run === undefined ? '' : encode(run.input)
  return {
    tenant,
    thread,
    owner: user,
    createThread: createThread && run !== undefined,
    run: run === undefined ? null : { run: run.id, key: run.key, bodyHash: hashOf(name, input), input },
    graph: name,
    token,
    leaseMs,
    inlineBytes,
    maxAttempts,
  }
}

type Claim = ClaimedTurn & { readonly token: string; readonly candidate: Candidate | undefined }

async function workOn(house: House, request: TurnRequest, claim: Claim, begunAt: number): Promise<TurnResult> {
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
    const start = await startingPosition(checkpointer, request, claim)
    emit({ type: 'run-started', run: claim.run, thread, epoch: claim.epoch, storageMs: performance.now() - begunAt })
    progress.startAt(start)
    const position = await advance({
      graph,
      position: start,
      step: claim.step,
      input: claim.input === null ? undefined : (decode(claim.input) ?? undefined),
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
    })
    const { head, hash } = progress
    emit({ type: 'run-finished', run: claim.run, seq: head, values: stateView(graph, position.values) })
    const afterwards = afterAnswer(house, claim, held, start, { seq: head, hash, position }) // D
    return { run: claim.run, seq: head, position, afterwards }
  } catch (error) {
    const failure = asRecollectError(error, 'internal', 'The run failed for a reason that recollect does not know.')
    await progress.fail(failure)
    emit({ type: 'run-failed', run: claim.run, error: failure })
    if (claim.mine || request.run === undefined) throw failure
    return { run: claim.run, seq: progress.head, position: emptyPosition, afterwards: Promise.resolve() }
  } finally {
    lease.end()
  }
}

/** The state at the claimed head: from the claim, else from the cache if it is that very state (T2), else from Postgres. */
async function startingPosition(
  checkpointer: Checkpointer,
  { tenant, thread }: TurnRequest,
  claim: Claim,
): Promise<Position> {
  if (claim.frames !== null) return positionAt(claim.frames)
  const { candidate, head, hash } = claim
  if (candidate?.seq === head && candidate.hash === hash) return candidate.position
  const load = () => checkpointer.loadChain({ tenant, thread, owner: null, seq: head, count: 1 })
  const chain = await resend(load, claimPatienceMs)
  if (chain === undefined)
    throw new RecollectError('checkpoint_unknown', `Checkpoint ${head} of thread "${thread}" is gone.`)
  return positionAt(chain.frames)
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

/** The same request again: its answer, without running anything. */
async function endedTurn(
  { checkpointer }: House,
  { tenant, thread }: TurnRequest,
  run: RunRecord,
): Promise<TurnResult> {
  if (run.status !== 'success' || run.answer === null) {
    throw new RecollectError('run_failed', run.error?.message ?? `The run ended as "${run.status}".`, {
      details: { run: run.run, status: run.status, code: run.error?.code },
    })
  }
  const chain = await checkpointer.loadChain({ tenant, thread, owner: null, seq: run.answer, count: 1 })
  const position = positionAt(chain?.frames ?? [])
  return { run: run.run, seq: run.answer, position, afterwards: Promise.resolve() }
}

function cacheKey({ tenant, thread }: { tenant: string; thread: string }, owner: string): CacheKey {
  return { tenant, thread, owner }
}
