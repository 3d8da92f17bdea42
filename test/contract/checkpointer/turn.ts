// Turns as the contract takes them: fresh places, claims, commits.
import { expect } from 'vitest'
import { hashOf } from '../../../src/kernel/hash.ts'
import { randomId } from '../../../src/kernel/id.ts'
import type { Frame } from '../../../src/ports/chains.ts'
import type {
  BeginTurn,
  BusyStrategy,
  Checkpointer,
  ClaimedTurn,
  ClaimRef,
  StepCommit,
  ThreadKey,
} from '../../../src/ports/checkpointer.ts'

/** What a suite gets: the checkpointer of this test run, made before its first test. */
export type Subject = () => Checkpointer

/** A tenant of its own for each test, so that all can share one database. */
export function freshThread(change: Partial<ThreadKey> = {}): ThreadKey {
  return { tenant: `tenant-${randomId()}`, thread: 'thread', owner: 'ada', ...change }
}

export function request(at: ThreadKey, run = 'run-1', change: Partial<BeginTurn> = {}): BeginTurn {
  return {
    ...at,
    run: { run, key: `key of ${run}`, bodyHash: `body of ${run}`, input: `"input of ${run}"`, strategy: 'reject' },
    graph: 'graph',
    token: `token of ${run}`,
    leaseMs: 60_000,
    createThread: true,
    threadTtlMs: null,
    inlineBytes: 16_384,
    maxAttempts: 5,
    ...change,
  }
}

/** A request with a strategy. */
export function asking(at: ThreadKey, run: string, strategy: BusyStrategy, change: Partial<BeginTurn> = {}): BeginTurn {
  const { run: asked, ...begin } = request(at, run, change)
  return { ...begin, run: asked && { ...asked, strategy } }
}

/** Run → status. */
export async function statuses(checkpointer: Checkpointer, at: ThreadKey): Promise<Record<string, string>> {
  const runs = await checkpointer.runs.list(at, { limit: 100, offset: 0 })
  return Object.fromEntries(runs.map(({ run, status }) => [run, status]))
}

/** Only take over, and bring nothing new. */
export function takeOver(at: ThreadKey, token: string, change: Partial<BeginTurn> = {}): BeginTurn {
  return { ...request(at, token), run: null, createThread: false, token, ...change }
}

export async function claim(checkpointer: Checkpointer, begin: BeginTurn): Promise<ClaimedTurn> {
  const claimed = await checkpointer.beginTurn(begin)
  expect(claimed).toMatchObject({ outcome: 'claimed' })
  if (claimed.outcome !== 'claimed') throw new Error(`not claimed: ${claimed.outcome}`)
  return claimed
}

/** Where the next commit of a claim starts. */
export interface Tip {
  readonly claim: ClaimRef
  readonly head: number
  readonly hash: string
}

export function tipOf(begin: BeginTurn, { run, epoch, head, hash }: ClaimedTurn): Tip {
  const { tenant, thread, token } = begin
  return { claim: { tenant, thread, run, epoch, token }, head, hash }
}

/** A commit of `deltas` as steps up to `step`, each the child of the one before. */
export function commitOf(tip: Tip, step: number, deltas: readonly string[], change: Partial<StepCommit> = {}) {
  let hash = tip.hash
  const checkpoints = deltas.map((delta, index) => {
    hash = hashOf(hash, delta)
    return { step: step - deltas.length + 1 + index, hash, delta, seen: null }
  })
  const commit: StepCommit = {
    ...tip.claim,
    head: tip.head,
    hash: tip.hash,
    step,
    checkpoints,
    status: 'success',
    error: null,
    saved: [],
    messages: [],
    questions: [],
    leaseMs: 60_000,
    ...change,
  }
  return { commit, hash }
}

/** Commits and gives the tip behind it. */
export async function committed(
  checkpointer: Checkpointer,
  tip: Tip,
  ...rest: [number, readonly string[], Partial<StepCommit>?]
): Promise<Tip> {
  const { commit, hash } = commitOf(tip, ...rest)
  const { outcome, head } = await checkpointer.commitStep(commit)
  expect(outcome).toBe('applied')
  return { claim: tip.claim, head, hash }
}

/** A whole turn: claimed, committed, ended. */
export async function turn(
  checkpointer: Checkpointer,
  at: ThreadKey,
  run: string,
  deltas: readonly string[],
): Promise<Tip> {
  const begin = request(at, run)
  return committed(checkpointer, tipOf(begin, await claim(checkpointer, begin)), deltas.length - 1, deltas)
}

export async function frames(checkpointer: Checkpointer, at: ThreadKey, seq: number | null = null, count = 1_000) {
  const chain = await checkpointer.loadChain({ ...at, seq, count })
  return chain?.frames ?? []
}

/** `s5 d6 d7`: what a chain is made of. */
export function shapeOf(list: readonly Frame[]): string {
  return list.map(({ kind, seq }) => `${kind[0]}${seq}`).join(' ')
}

export function passing(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
