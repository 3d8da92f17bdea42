// A claim on a thread, with what its worker had before it: which state it is about, and what is still to be taken in.
import type { Edit } from '../graph/apply.ts'
import type { Position } from '../graph/checkpoint.ts'
import { editText, parseEdit } from '../graph/task-writes.ts'
import { RecollectError } from '../kernel/errors.ts'
import { hashOf } from '../kernel/hash.ts'
import { decode, encode } from '../kernel/json.ts'
import type { BeginTurn, Checkpointer, ClaimedTurn } from '../ports/checkpointer.ts'
import type { TakenIn } from './advance.ts'
import { positionAt } from './chain.ts'
import type { House } from './house.ts'
import { commitPatienceMs, resend } from './resend.ts'
import type { Ahead } from './speculation.ts'
import type { Cached, Candidate } from './thread-cache.ts'
import type { TurnRequest, TurnRun } from './turn-request.ts'

/** Six tries: a caller waits for it, and a lost acknowledgement would hold the thread for a lease. */
export const claimPatienceMs = 2_000

/** A chain of at most so many bytes comes with the claim. */
export const inlineBytes = 16_384
const maxAttempts = 5

interface Attempt {
  readonly token: string
  readonly cached: Cached
  readonly ahead: Ahead | undefined
  readonly begunAt: number
}

export type Claim = ClaimedTurn & Attempt

export function beginOf(
  { name, leaseMs, threadTtlMs }: House,
  { tenant, user, thread, run, createThread }: TurnRequest,
  token: string,
): BeginTurn {
  const { id = '', key = '', kind = 'input', strategy = 'reject', forkFrom, stops = [] } = run ?? {}
  const input = run === undefined ? '' : inputText(run)
  return {
    ...{ tenant, thread, owner: user, graph: name, token, leaseMs, inlineBytes, maxAttempts },
    threadTtlMs: threadTtlMs ?? null,
    createThread: createThread && run !== undefined,
    run:
      run === undefined
        ? null
        : {
            ...{ run: id, key, bodyHash: hashOf(name, kind, input, String(forkFrom ?? ''), ...stops), kind, input },
            ...{ strategy, stops, ...(forkFrom !== undefined && { forkFrom }) },
          },
  }
}

function inputText({ kind = 'input', input }: TurnRun): string {
  try {
    return kind === 'input' ? encode(input) : editText(input as Edit)
  } catch (error) {
    throw new RecollectError('input_invalid', `The input cannot be saved. ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** The caller is told that nothing has begun: so be it, though the claim may have landed. */
export async function abandon(
  checkpointer: Checkpointer,
  { tenant, thread, token, run }: BeginTurn,
  kept: boolean,
): Promise<void> {
  const attempt = { tenant, thread, token, run: kept ? null : (run?.run ?? null) }
  await resend(() => checkpointer.abandonTurn(attempt), commitPatienceMs).catch(() => {})
}

/** The state at the claimed head: from the cache if it is that very state, else from the claim, else from Postgres. */
export async function startingPosition(
  checkpointer: Checkpointer,
  { tenant, thread }: TurnRequest,
  claim: Claim,
): Promise<Position> {
  const { cached, frames, head } = claim
  const { candidate } = cached
  if (candidate !== undefined && isHead(candidate, claim)) return candidate.position
  if (frames !== null) return positionAt(frames)
  const load = () => checkpointer.loadChain({ tenant, thread, owner: null, seq: head, count: 1 })
  const chain = await resend(load, claimPatienceMs)
  if (chain === undefined)
    throw new RecollectError('checkpoint_unknown', `Checkpoint ${head} of thread "${thread}" is gone.`)
  return positionAt(chain.frames)
}

/** What is still to be taken in: of runs that this one interrupted, and its own. A run without input goes on where the thread is. */
export function inputsOf({ kind, input, carried }: Claim): TakenIn[] {
  const inputs = [...carried, ...(kind !== 'input' || input === null ? [] : [input])].map(decode)
  const taken: TakenIn[] = inputs.filter((decoded) => decoded !== null).map((values) => ({ values }))
  return kind === 'input' || input === null ? taken : [...taken, { edit: parseEdit(input) }]
}

/** Whether the guess was about this very run, on this very state. */
export function fits({ run, step, input, carried, cached, ...claim }: Claim, request: TurnRequest): boolean {
  const { candidate } = cached
  const thisRun = run === request.run?.id && step === 0 && input !== null && carried.length === 0
  return thisRun && candidate !== undefined && isHead(candidate, claim)
}

/** T2: a cached state is the thread's if and only if number and hash are the head's. */
function isHead(candidate: Candidate, { head, hash }: { head: number; hash: string }): boolean {
  return candidate.seq === head && candidate.hash === hash
}
