// Answers beside each other and beside all that ends a question, on a Postgres server with several connections.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { postgresBinaries } from '../../local/neon/throwaway-postgres.ts'
import { append, interrupt, isRecollectError, StateGraph } from '../../src/index.ts'
import type { AnswerOutcome, Question } from '../../src/ports/approvals.ts'
import type { ThreadKey } from '../../src/ports/checkpointer.ts'
import { answering, question, statusOf, waiting } from './checkpointer/questions.ts'
import {
  asking,
  claim,
  commitOf,
  freshThread,
  passing,
  request,
  statuses,
  takeOver,
  tipOf,
} from './checkpointer/turn.ts'
import { keptOpen, type NeonDatabase, postgresDatabase } from './neon-database.ts'

const installed = postgresBinaries() !== undefined
const rounds = 20

describe.skipIf(!installed)('side by side, over a Postgres server (skipped where none is installed)', () => {
  let database: NeonDatabase
  beforeAll(async () => {
    database = await postgresDatabase(20)
  })
  afterAll(() => database?.close())
  const checkpointer = () => database.checkpointer
  const times = <Result>(count: number, work: (index: number) => Promise<Result>) =>
    Promise.all(Array.from({ length: count }, (_, index) => work(index)))
  const answer = (...request: Parameters<typeof answering>) => checkpointer().approvals.answer(answering(...request))
  const asked = async (change: Partial<Question> = {}, at: ThreadKey = freshThread(), run = 'run-1') => {
    const one = question(change)
    await waiting(checkpointer(), at, [one], run)
    return { at, id: one.id }
  }
  const sorted = (outcomes: readonly AnswerOutcome[]) => outcomes.map(({ outcome }) => outcome).toSorted()
  /** By five workers at once: what was taken up, and with which answers. */
  const takenUp = async (at: ThreadKey) => {
    const claims = await times(5, (index) => checkpointer().beginTurn(takeOver(at, `worker ${index}`)))
    return claims.flatMap((claimed) => (claimed.outcome === 'claimed' ? [claimed] : []))
  }

  test('five copies of one answer are one: one is accepted, the others are told the same, and it is taken up once', async () => {
    for (let round = 0; round < rounds; round++) {
      const { at, id } = await asked()
      const copy = answering(at, id, { token: 'key', webhook: round % 2 === 0 })
      const outcomes = await times(5, () => checkpointer().approvals.answer(copy))
      expect(sorted(outcomes)).toEqual(['accepted', 'repeated', 'repeated', 'repeated', 'repeated'])
      expect(await checkpointer().approvals.attempts(at.tenant, id)).toHaveLength(1)
      expect(await takenUp(at)).toMatchObject([{ run: 'run-1', answers: [{ id, status: 'answered' }] }])
    }
  })

  test('of two different answers one wins, and the other is told which', async () => {
    for (let round = 0; round < rounds; round++) {
      const { at, id } = await asked()
      const outcomes = await times(2, (index) => answer(at, id, { answer: `${index}`, by: `boss-${index}` }))
      expect(sorted(outcomes)).toEqual(['accepted', 'answered'])
      const stored = await checkpointer().approvals.get(at, id)
      const winner = outcomes.findIndex(({ outcome }) => outcome === 'accepted')
      expect(stored).toMatchObject({ answer: `${winner}`, answeredBy: `boss-${winner}` })
      for (const outcome of outcomes) expect(outcome).toMatchObject({ approval: stored })
      expect(await takenUp(at)).toMatchObject([{ answers: [{ answer: `${winner}` }] }])
    }
  })

  test('one webhook for two questions at once answers one of them', async () => {
    const one = await asked()
    const other = await asked({}, { ...one.at, thread: 'other' }, 'run-2')
    const webhook = { token: 'msg-1', webhook: true }
    const { landed } = await keptOpen(database, (to) => to.approvals.answer(answering(one.at, one.id, webhook)))
    expect(await answer(one.at, other.id, webhook)).toMatchObject({ outcome: 'repeated', approval: { id: one.id } })
    await landed
    expect(await statusOf(checkpointer(), one.at, one.id)).toBe('answered')
    expect(await statusOf(checkpointer(), one.at, other.id)).toBe('pending')
  })

  test('beside a cancellation it is accepted or told that it is too late, and the run is ended in any case', async () => {
    for (let round = 0; round < rounds; round++) {
      const { at, id } = await asked()
      const cancelling = { ...at, run: 'run-1', token: 'c', leaseMs: 60_000, inlineBytes: 16_384 }
      const [{ outcome }, cancelled] = await Promise.all([answer(at, id), checkpointer().cancelRun(cancelling)])
      expect(['accepted', 'cancelled']).toContain(outcome)
      expect(cancelled).toMatchObject({ outcome: 'claimed', cancelled: true, answers: [] })
      expect(await statusOf(checkpointer(), at, id)).toBe('cancelled')
      expect(await takenUp(at)).toEqual([])
    }
  })

  test('beside its expiry it is accepted or expired, never both, and the run goes on once with what was told', async () => {
    const seen = new Set<string>()
    for (let round = 0; round < rounds; round++) {
      const { at, id } = await asked({ expiresInMs: 25 })
      await passing(10 + (round % 5) * 5)
      const sweeping = times(3, async () => {
        for (let tries = 0; tries < 5; tries++) await checkpointer().approvals.expire(10)
      })
      const { outcome } = await answer(at, id)
      await sweeping
      seen.add(outcome)
      await passing(30)
      const ended = await checkpointer().approvals.expire(10)
      const status = outcome === 'accepted' ? 'answered' : 'expired'
      expect([outcome, await statusOf(checkpointer(), at, id)]).toEqual([outcome, status])
      expect([0, outcome === 'accepted' ? 0 : 1]).toContain(ended)
      expect(await takenUp(at)).toMatchObject([{ answers: [{ status }] }])
    }
    expect([...seen].every((outcome) => outcome === 'accepted' || outcome === 'expired')).toBe(true)
  })

  test('sweeps side by side end a question once', async () => {
    const questions = await times(10, () => asked({ expiresInMs: 1 }))
    await passing(20)
    const counts = await times(5, () => checkpointer().approvals.expire(100))
    expect(counts.reduce((a, b) => a + b)).toBe(10)
    for (const { at } of questions) expect(await takenUp(at)).toHaveLength(1)
  })

  test('beside a second turn it counts for its own run or is too late: nobody is told that it counts, and it does not', async () => {
    for (let round = 0; round < rounds; round++) {
      const { at, id } = await asked()
      const strategy = (['reject', 'enqueue', 'interrupt', 'rollback'] as const)[round % 4] ?? 'reject'
      const [{ outcome }, second] = await Promise.all([
        answer(at, id),
        checkpointer().beginTurn(asking(at, 'run-2', strategy)),
      ])
      const found = await statuses(checkpointer(), at)
      const status = await statusOf(checkpointer(), at, id)
      if (second.outcome === 'waiting') {
        // Refused before the answer came.
        expect([strategy, outcome, status]).toEqual(['reject', 'accepted', 'answered'])
        expect(await takenUp(at)).toMatchObject([{ run: 'run-1', answers: [{ id }] }])
      } else if (second.outcome === 'claimed' && second.run === 'run-1') {
        expect([outcome, status]).toEqual(['accepted', 'answered'])
        expect(second.answers).toMatchObject([{ id, status: 'answered' }])
      } else {
        // Whoever pushes a run aside that was answered pushes the answer aside, as a moment later they would.
        expect(second).toMatchObject({ outcome: 'claimed', run: 'run-2', answers: [] })
        expect(['accepted', 'cancelled']).toContain(outcome)
        expect(status).toBe('cancelled')
        expect(found).not.toMatchObject({ 'run-1': 'queued' })
      }
    }
  })

  test('an answer that lands beside the commit that waits for more is not forgotten', async () => {
    for (let round = 0; round < rounds; round++) {
      const at = freshThread()
      const [one, other] = [question(), question({ task: 1 })]
      await waiting(checkpointer(), at, [one, other])
      await answer(at, one.id)
      const taking = takeOver(at, 'worker')
      const saved = [{ task: 0, key: '', value: '1' }]
      const { commit } = commitOf(tipOf(taking, await claim(checkpointer(), taking)), 1, [], {
        status: 'waiting',
        saved,
      })
      const [{ outcome }, committed] = await Promise.all([answer(at, other.id), checkpointer().commitStep(commit)])
      expect([outcome, committed.outcome]).toEqual(['accepted', 'applied'])
      expect(await takenUp(at)).toMatchObject([
        { saved, answers: [{ id: one.id }, { id: other.id, status: 'answered' }] },
      ])
    }
  })

  test('an answer waits for a commit in flight that asks anew, and makes its run due', async () => {
    const at = freshThread()
    const [one, other] = [question(), question({ task: 1 })]
    await waiting(checkpointer(), at, [one, other])
    await answer(at, one.id)
    const taking = takeOver(at, 'worker')
    const { commit } = commitOf(tipOf(taking, await claim(checkpointer(), taking)), 1, [], { status: 'waiting' })
    const { landed } = await keptOpen(database, (to) => to.commitStep(commit))
    expect(await answer(at, other.id)).toMatchObject({ outcome: 'accepted' })
    await landed
    expect(await takenUp(at)).toHaveLength(1)
  })

  test('an answer beside the deletion of its thread is unknown', async () => {
    const { at, id } = await asked()
    const { landed } = await keptOpen(database, (to) => to.threads.delete(at))
    expect(await answer(at, id)).toEqual({ outcome: 'unknown' })
    await landed
    expect(await checkpointer().approvals.attempts(at.tenant, id)).toEqual([])
  })

  test('a claim waits for an answer in flight, and works with it', async () => {
    const { at, id } = await asked()
    const { landed } = await keptOpen(database, (to) => to.approvals.answer(answering(at, id)))
    const next = await checkpointer().beginTurn(request(at, 'run-2'))
    expect(next).toMatchObject({ outcome: 'claimed', run: 'run-1', answers: [{ id, status: 'answered' }] })
    await landed
  })

  test('40 approvals, five copies of each by two workers at once: each runs once', async () => {
    const review = interrupt('review', { payload: z.string(), answer: z.boolean() })
    const runs = new Map<string, number>()
    const worker = () =>
      new StateGraph({
        state: { log: append<string>() },
        nodes: {
          ask: {
            interrupts: [review],
            run: async (_, { interrupt, thread = '' }) => {
              const approved = await interrupt(review, 'pay?')
              runs.set(thread, (runs.get(thread) ?? 0) + 1)
              return { log: `${approved}` }
            },
          },
        },
        edges: { start: 'ask' },
      }).compile({ checkpointer: checkpointer() })
    const workers = [worker(), worker()]
    const { tenant } = freshThread()
    const [first = expect.unreachable()] = workers
    const one = async (index: number) => {
      const at = { tenant, user: 'ada', thread: `thread-${index}` }
      const { run, interrupts } = await first.run({ log: 'in' }, at)
      const { id } = interrupts[0] ?? expect.unreachable()
      const who = { tenant, user: null, by: 'boss', approver: true, via: 'api' }
      const told = await times(5, async (copy) => {
        const app = workers[copy % 2] ?? first
        const taken = await app
          .answer(who, { id, answer: true, ...(index % 2 === 0 && { key: 'copy' }) })
          .catch((error) => {
            if (isRecollectError(error)) return { outcome: error.code }
            throw error
          })
        const { values } = await app.goOn(at, run)
        return { outcome: taken.outcome, log: values.log }
      })
      for (const { log } of told) expect(log).toEqual(['in', 'true'])
      return told.map(({ outcome }) => outcome).toSorted()
    }
    const all: string[][] = []
    for (let from = 0; from < 40; from += 10) all.push(...(await times(10, (index) => one(from + index))))
    for (const [index, outcomes] of all.entries()) {
      const other = index % 2 === 0 ? 'repeated' : 'approval_answered'
      expect(outcomes).toEqual(['accepted', other, other, other, other].toSorted())
    }
    expect([...runs.values()]).toEqual(Array.from({ length: 40 }, () => 1))
  })
})
