// One turn on a thread: claim, load, advance, commit, answer. This file alone decides the order.
//
// T1 Postgres is the truth: a turn whose commit failed has not happened, and "finished" is said only after the commit.
// T2 Correctness rests on the compare-and-set of epoch, head and hash under the row lock; never on lease, cache or clock.
// T3 No thread's state outlives its turn in the isolate.
// T4 In a superstep all nodes see the same checkpoint; writes are applied in task order, whatever order they finish in.
// T5 A task that finished is not torn, and not run again, because a sibling failed or asked: what it wrote is saved by the commit
//    of the superstep, and found by whoever goes on from there. After a crash it runs again (T9).
// T6 A node that asked runs again from its top when it is answered; what must not be repeated is a part of it, made once and
//    saved under a key. The answer is for exactly what was shown.
// T7 An event is emitted only after what it claims is true; event and message ids contain the epoch.
// T8 A write of unknown outcome is resent unchanged, and every write is idempotent: a claim by its token, a commit by
//    step and epoch. At most one commit is in flight; nothing names checkpoint k before commit k is acknowledged. A superstep
//    without effects begins meanwhile; it is told, and writes, behind it.
// T9 A tool call is at least once, with the key run:step:task. Exactly-once is promised for recording, in those words.
import { emptyPosition, type Position } from '../graph/checkpoint.ts'
import { asRecollectError } from '../kernel/errors.ts'
import { randomId } from '../kernel/id.ts'
import type { Checkpointer, ClaimRef, Orphan } from '../ports/checkpointer.ts'
import type { OutboxEntry } from '../ports/outbox.ts'
import type { RunRecord } from '../ports/run-records.ts'
import { type Advanced, advance, takeIn } from './advance.ts'
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
import { answerOf, endOf, openInterrupts } from './ended-run.ts'
import { extractionMessage } from './extraction.ts'
import type { House } from './house.ts'
import { cancelled, handedOver, heldLease, lost } from './lease.ts'
import { Line } from './queue.ts'
import { refusal, unknownRun, unknownThread, waitsForAnswers } from './refusal.ts'
import { remembering } from './remembering.ts'
import { commitPatienceMs, isUnknownOutcome, resend } from './resend.ts'
import { runAhead } from './speculation.ts'
import { TaskParts } from './task-parts.ts'
import { telling } from './telling.ts'
import { readCached } from './thread-cache.ts'
import { ThreadProgress } from './thread-progress.ts'
import type { TurnRequest, TurnResult } from './turn-request.ts'

/** `undefined` when asked to take over and nothing was due. An older run whose worker is gone is finished first. */
export async function takeTurn(house: House, request: TurnRequest): Promise<TurnResult | undefined> {
  const { tenant, thread, user } = request
  const line = new Line()
  // Whether the run has a row from an earlier answer: then it stays in line whatever becomes of this request.
  let kept = false
  for (let first = true; ; first = false) {
    const begunAt = performance.now()
    const reading = user === null ? undefined : readCached(house.cache, { tenant, thread, owner: user }) // A
    const guessing =
      first && house.speculate
        ? // A state that cannot even be planned on is no guess.
          reading?.then(({ candidate }) => candidate && runAhead(house, request, candidate)).catch(() => undefined)
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
    const cached = (await reading) ?? {}
    const ahead = await guessing
    if (claim.outcome === 'claimed') {
      const result = await workOn(house, request, { ...claim, token, cached, ahead, begunAt }) // C
      if (claim.mine || request.run === undefined) return result
      if (request.handOver?.aborted) throw handedOver()
      continue
    }
    ahead?.drop()
    if (claim.outcome === 'ended') {
      if (kept && claim.run.status === 'cancelled') throw cancelled()
      const answer = await answerOf(house.checkpointer, request, claim.run)
      // Somebody else has run it while it waited in line: whoever watches is told how it ended.
      if (kept) request.emit(endOf(house.graph, answer))
      return answer
    }
    if (claim.outcome === 'nothing-due') return undefined
    if (claim.outcome === 'waiting') return await stillWaiting(house, request, claim.run)
    if (claim.outcome !== 'queued') throw refusal(request.thread, claim)
    if (!kept) request.emit({ type: 'run-queued', run: claim.run, ahead: claim.ahead })
    kept = true
    await line.turnToCome(claim, request)
    if (!request.signal?.aborted) continue
    await cancelTurn(house, request, claim.run)
    throw cancelled()
  }
}

/** Whoever brings nothing new is told what the thread waits for; new input is refused with it. */
async function stillWaiting({ checkpointer, graph }: House, request: TurnRequest, run: RunRecord): Promise<TurnResult> {
  if (request.run?.input !== null) throw waitsForAnswers(run, await openInterrupts(checkpointer, request, run.run))
  const waiting = await answerOf(checkpointer, request, run)
  request.emit(endOf(graph, waiting))
  return waiting
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
  const attempt = { token, cached: {}, ahead: undefined, begunAt }
  await workOn(house, { ...request, run: undefined }, { ...claim, ...attempt })
}

async function workOn(house: House, request: TurnRequest, claim: Claim): Promise<TurnResult> {
  const { checkpointer, graph, leaseMs } = house
  const { tenant, thread, handOver } = request
  const ref: ClaimRef = { tenant, thread, run: claim.run, epoch: claim.epoch, token: claim.token }
  const { emit, recorded } = telling(house, request, claim)
  const asked = claim.mine || claim.run === request.watching
  const lease = heldLease(checkpointer, ref, { leaseMs, handOver, cancel: asked ? request.signal : undefined })
  const progress = new ThreadProgress(checkpointer, claim, ref, {
    leaseMs,
    emit,
    graph,
    extract: messageOf(house, thread),
  })
  try {
    const ahead = fits(claim, request) ? claim.ahead : undefined
    if (ahead === undefined) claim.ahead?.drop()
    const start = await startingPosition(checkpointer, request, claim)
    const speculation = ahead !== undefined ? 'kept' : claim.ahead === undefined ? 'none' : 'dropped'
    const storageMs = performance.now() - claim.begunAt
    const { epoch, step, head } = claim
    emit({ type: 'run-started', run: claim.run, thread, epoch, step, seq: head, storageMs, speculation })
    progress.startAt(start)
    const held = { epoch, claim: ref, parts: partsOf(checkpointer, ref, claim) }
    ahead?.keep({ held, emit, signal: lease.signal })
    const place = { tenant, user: claim.owner, thread, run: claim.run }
    const memory = remembering(house, request.defer, ahead?.known)
    const scope = { ...house, ...place, held, remembering: memory, signal: lease.signal, emit }
    const inputs = inputsOf(claim)
    const position = takeIn({ graph, position: start, scope, progress }, inputs)
    if (claim.cancelled) throw cancelled()
    const { deepFreeze } = house
    const from = { graph, position, step, name: claim.superstep, stops: claim.stops, takesIn: inputs.length > 0 }
    const advanced =
      claim.kind === 'update'
        ? await updated(progress, position)
        : await advance({ ...from, scope, progress, deepFreeze, ahead: ahead?.result })
    const { head: seq, hash, lastSeq, sent, asked: interrupts } = progress
    const end = { run: claim.run, ...advanced, seq, interrupts }
    emit(endOf(graph, end))
    const ended = { start, tip: { seq, hash, position: end.position }, lastSeq, sent }
    const afterwards = async () => {
      // Not waited for, where nobody has to: a receiver may take its time.
      if (progress.announced) request.defer(tellEndpoints(house, { tenant, run: claim.run }))
      await afterAnswer(house, { tenant, thread }, claim, ended)
    }
    return { ...end, afterwards } // D
  } catch (error) {
    const failure = asRecollectError(error, 'internal', 'The run failed for a reason that recollect does not know.')
    await progress.fail(failure)
    emit({ type: 'run-failed', run: claim.run, error: failure })
    if (progress.announced) request.defer(tellEndpoints(house, { tenant, run: claim.run }))
    if (failure.code === 'run_handed_over') request.defer(passOn(house, { tenant, thread, run: claim.run }))
    if (claim.mine || (request.run === undefined && !claim.cancelled)) throw failure
    const end = { run: claim.run, status: 'success', interrupts: [], seq: progress.head } as const
    return { ...end, position: emptyPosition, afterwards: async () => {} }
  } finally {
    lease.end()
    request.defer(recorded())
  }
}

function messageOf({ extract }: House, thread: string): OutboxEntry | undefined {
  return extract && extractionMessage(thread, extract)
}

/** What was written from outside is a checkpoint, and nothing is run. */
async function updated(progress: ThreadProgress, position: Position): Promise<Advanced> {
  await progress.commit('success')
  return { status: 'success', position }
}

async function tellEndpoints(
  { webhooks }: House,
  of: { readonly tenant: string; readonly run: string },
): Promise<void> {
  await webhooks?.deliver(of).catch(() => {})
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
