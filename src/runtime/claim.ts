// A claim on a thread, with what its worker had before it: which state it is about, and what is still to be taken in.
import type { Position } from '../graph/checkpoint.ts'
import { RecollectError } from '../kernel/errors.ts'
import { decode } from '../kernel/json.ts'
import type { Checkpointer, ClaimedTurn } from '../ports/checkpointer.ts'
import { positionAt } from './chain.ts'
import { resend } from './resend.ts'
import type { Ahead } from './speculation.ts'
import type { Candidate } from './thread-cache.ts'
import type { TurnRequest } from './turn.ts'

/** Six tries: a caller waits for it, and a lost acknowledgement would hold the thread for a lease. */
export const claimPatienceMs = 2_000

interface Attempt {
  readonly token: string
  readonly candidate: Candidate | undefined
  readonly ahead: Ahead | undefined
  readonly begunAt: number
}

export type Claim = ClaimedTurn & Attempt

/** The state at the claimed head: from the cache if it is that very state, else from the claim, else from Postgres. */
export async function startingPosition(
  checkpointer: Checkpointer,
  { tenant, thread }: TurnRequest,
  claim: Claim,
): Promise<Position> {
  const { candidate, frames, head } = claim
  if (candidate !== undefined && isHead(candidate, claim)) return candidate.position
  if (frames !== null) return positionAt(frames)
  const load = () => checkpointer.loadChain({ tenant, thread, owner: null, seq: head, count: 1 })
  const chain = await resend(load, claimPatienceMs)
  if (chain === undefined)
    throw new RecollectError('checkpoint_unknown', `Checkpoint ${head} of thread "${thread}" is gone.`)
  return positionAt(chain.frames)
}

/** What is still to be taken in: of runs that this one interrupted, and its own. A run without input goes on where the thread is. */
export function inputsOf({ input, carried }: Claim): unknown[] {
  return [...carried, ...(input === null ? [] : [input])].map(decode).filter((decoded) => decoded !== null)
}

/** Whether the guess was about this very run, on this very state. */
export function fits({ run, step, input, carried, candidate, ...claim }: Claim, request: TurnRequest): boolean {
  const thisRun = run === request.run?.id && step === 0 && input !== null && carried.length === 0
  return thisRun && candidate !== undefined && isHead(candidate, claim)
}

/** T2: a cached state is the thread's if and only if number and hash are the head's. */
function isHead(candidate: Candidate, { head, hash }: { head: number; hash: string }): boolean {
  return candidate.seq === head && candidate.hash === hash
}
