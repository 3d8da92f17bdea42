// The Neon checkpointer over a Postgres server: the contract, and what only happens with several connections at once.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postgresBinaries } from '../../local/neon/throwaway-postgres.ts'
import type { Checkpointer, StepOutcome, TurnClaim } from '../../src/ports/checkpointer.ts'
import {
  asking,
  claim,
  commitOf,
  frames,
  freshThread,
  passing,
  request,
  takeOver,
  tipOf,
  turn,
} from './checkpointer/turn.ts'
import { checkpointerContract } from './checkpointer.ts'
import { keptOpen, type NeonDatabase, postgresDatabase } from './neon-database.ts'

const installed = postgresBinaries() !== undefined

function tally<Item>(items: readonly Item[], nameOf: (item: Item) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const item of items) counts[nameOf(item)] = (counts[nameOf(item)] ?? 0) + 1
  return counts
}

const outcomes = (list: readonly (TurnClaim | StepOutcome)[]) => tally(list, ({ outcome }) => outcome)

describe.skipIf(!installed)('over a Postgres server (skipped where none is installed)', () => {
  checkpointerContract('neon over Postgres', () => postgresDatabase(4))

  describe('side by side', () => {
    let database: NeonDatabase
    beforeAll(async () => {
      database = await postgresDatabase(20)
    })
    afterAll(() => database?.close())
    const checkpointer = () => database.checkpointer
    const times = <Result>(count: number, work: (index: number) => Promise<Result>) =>
      Promise.all(Array.from({ length: count }, (_, index) => work(index)))

    test('of 50 first turns on one new thread exactly one is claimed, and the others leave no row', async () => {
      const at = freshThread()
      const claims = await times(50, (index) => checkpointer().beginTurn(request(at, `run-${index}`)))
      expect(outcomes(claims)).toEqual({ claimed: 1, busy: 49 })
      const claimed = claims.find(({ outcome }) => outcome === 'claimed')
      expect(claimed).toMatchObject({ mine: true, epoch: 1, attempts: 1 })
      expect(await checkpointer().runs.list(at, { limit: 100, offset: 0 })).toHaveLength(1)
    })

    test('of 20 workers that find a run abandoned exactly one takes it over', async () => {
      const at = freshThread()
      await claim(checkpointer(), request(at, 'run-1', { leaseMs: 1 }))
      await passing(20)
      const claims = await times(20, (index) => checkpointer().beginTurn(takeOver(at, `worker ${index}`)))
      expect(outcomes(claims)).toEqual({ claimed: 1, 'nothing-due': 19 })
    })

    test('20 copies of one claim are one claim', async () => {
      const begin = request(freshThread())
      const claims = await times(20, () => checkpointer().beginTurn(begin))
      expect(new Set(claims.map((found) => JSON.stringify(found))).size).toBe(1)
      expect(claims[0]).toMatchObject({ outcome: 'claimed', epoch: 1, attempts: 1 })
    })

    test('of 20 copies of one commit exactly one is applied and the others know it', async () => {
      const at = freshThread()
      const begin = request(at)
      const { commit } = commitOf(tipOf(begin, await claim(checkpointer(), begin)), 1, ['a', 'b'])
      const results = await times(20, () => checkpointer().commitStep(commit))
      expect(outcomes(results)).toEqual({ applied: 1, already: 19 })
      expect(new Set(results.map(({ head, status }) => `${head} ${status}`))).toEqual(new Set(['2 success']))
      expect((await frames(checkpointer(), at)).map(({ text }) => text)).toEqual(['a', 'b'])
    })

    test('of two holders that commit at once only the one that holds the claim is applied', async () => {
      for (let round = 0; round < 10; round++) {
        const at = freshThread()
        const begin = request(at, 'run-1', { leaseMs: 1 })
        const old = commitOf(tipOf(begin, await claim(checkpointer(), begin)), 0, ['old']).commit
        await passing(5)
        const next = takeOver(at, 'adopter')
        const taking = claim(checkpointer(), next)
        const late = checkpointer().commitStep(old)
        const taken = await taking.catch(() => undefined)
        const { outcome } = await late
        const fresh = taken && (await checkpointer().commitStep(commitOf(tipOf(next, taken), 0, ['new']).commit))
        expect([outcome, fresh?.outcome].filter((each) => each === 'applied')).toHaveLength(1)
        expect(await frames(checkpointer(), at)).toHaveLength(1)
      }
    })

    test('20 that wait in line at once have each a place of their own', async () => {
      const at = freshThread()
      const claims = await times(20, (index) => checkpointer().beginTurn(asking(at, `run-${index}`, 'enqueue')))
      expect(outcomes(claims)).toEqual({ claimed: 1, queued: 19 })
      const places = claims.flatMap((claim) => (claim.outcome === 'queued' ? [claim.ahead] : []))
      expect(places.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 19 }, (_, index) => index + 1))
    })

    test('of 20 that interrupt each other at once one is left, with the inputs of all', async () => {
      const at = freshThread()
      const begins = Array.from({ length: 20 }, (_, index) => asking(at, `run-${index}`, 'interrupt'))
      const claims = await Promise.all(begins.map((begin) => claim(checkpointer(), begin)))
      const left = claims.reduce((a, b) => (a.epoch > b.epoch ? a : b))
      expect(left.carried).toHaveLength(19)
      expect(new Set([...left.carried, left.input]).size).toBe(20)
      const commits = begins.map((begin, index) =>
        checkpointer().commitStep(commitOf(tipOf(begin, claims[index] ?? expect.unreachable()), 0, ['d']).commit),
      )
      expect(outcomes(await Promise.all(commits))).toEqual({ applied: 1, fenced: 19 })
      expect((await frames(checkpointer(), at)).map(({ run }) => run)).toEqual([left.run])
    })

    test('an input is committed by its own run or carried to the one that interrupts it, never both or neither', async () => {
      const seen = new Set<string>()
      for (let round = 0; round < 20; round++) {
        const at = freshThread()
        const begin = request(at)
        const { commit } = commitOf(tipOf(begin, await claim(checkpointer(), begin)), 0, ['a'], { status: 'running' })
        const [{ outcome }, next] = await Promise.all([
          checkpointer().commitStep(commit),
          claim(checkpointer(), asking(at, 'run-2', 'interrupt')),
        ])
        seen.add(outcome)
        const expected = outcome === 'applied' ? { head: 1, carried: [] } : { head: 0, carried: ['"input of run-1"'] }
        expect(next).toMatchObject(expected)
      }
      expect(seen).toContain('applied')
    })

    test('one key sent 20 times at once is one run', async () => {
      const at = freshThread()
      const claims = await times(20, (index) => checkpointer().beginTurn(request(at, 'run-1', { token: `t${index}` })))
      expect(outcomes(claims)).toEqual({ claimed: 1, queued: 19 })
      expect(await checkpointer().runs.list(at, { limit: 100, offset: 0 })).toHaveLength(1)
    })

    test('one run id given to 20 threads at once is the run of one of them', async () => {
      const { tenant } = freshThread()
      const claims = await times(20, (index) =>
        checkpointer().beginTurn(request({ tenant, thread: `thread-${index}`, owner: 'ada' }, 'run-1')),
      )
      expect(outcomes(claims)).toEqual({ claimed: 1, 'key-reused': 19 })
    })

    const inFlight = (work: (to: Checkpointer) => Promise<unknown>) => keptOpen(database, work)

    test('a claim waits for a commit in flight, and begins behind it', async () => {
      const at = freshThread()
      const begin = request(at)
      const { commit, hash } = commitOf(tipOf(begin, await claim(checkpointer(), begin)), 0, ['a'])
      const { landed } = await inFlight((to) => to.commitStep(commit))
      expect(await claim(checkpointer(), request(at, 'run-2'))).toMatchObject({ mine: true, head: 1, hash, lastSeq: 1 })
      await landed
    })

    test('a commit waits for a claim in flight, and is fenced by it', async () => {
      const at = freshThread()
      const begin = request(at, 'run-1', { leaseMs: 1 })
      const { commit } = commitOf(tipOf(begin, await claim(checkpointer(), begin)), 0, ['late'])
      await passing(20)
      const { landed } = await inFlight((to) => to.beginTurn(takeOver(at, 'adopter')))
      expect(await checkpointer().commitStep(commit)).toMatchObject({ outcome: 'fenced' })
      await landed
      expect(await frames(checkpointer(), at)).toEqual([])
    })

    test('a snapshot waits for a commit in flight, and sets the sizes of what it has written right', async () => {
      const at = freshThread()
      const { head: seq, hash } = await turn(checkpointer(), at, 'run-0', ['x'.repeat(100)])
      const begin = request(at)
      const { commit } = commitOf(tipOf(begin, await claim(checkpointer(), begin)), 0, ['y'.repeat(10)])
      const { landed } = await inFlight((to) => to.commitStep(commit))
      await checkpointer().putSnapshot({ tenant: at.tenant, thread: at.thread, seq, hash, text: 'S'.repeat(50) })
      await landed
      expect(await claim(checkpointer(), request(at, 'run-2'))).toMatchObject({ chainBytes: 10, baseBytes: 50 })
    })

    test('a thread that is being used as its time ends stays', async () => {
      const at = freshThread()
      await checkpointer().threads.create(at, { ttlMs: 20 })
      await passing(40)
      const { landed } = await inFlight((to) => to.beginTurn(request(at)))
      expect(await checkpointer().threads.deleteExpired({ ...at, owner: 'ada' })).toBe(false)
      await landed
      expect(await checkpointer().threads.get(at)).toMatchObject({ status: 'busy' })
    })

    test('a message that is being lent is lent to nobody else, and nobody waits for it', async () => {
      const at = freshThread()
      const graph = `graph of ${at.tenant}`
      const begin = request(at, 'run-1', { graph })
      const messages = [{ id: 'm', topic: 'topic', payload: '1' }]
      const { commit } = commitOf(tipOf(begin, await claim(checkpointer(), begin)), 0, ['a'], { messages })
      await checkpointer().commitStep(commit)
      const taking = (token: string) => ({ graphs: [graph], run: null, token, limit: 10, leaseMs: 60_000 })
      const { landed } = await inFlight((to) => to.outbox.take(taking('first')))
      expect(await checkpointer().outbox.take(taking('second'))).toEqual([])
      await landed
    })

    test('a snapshot beside commits loses neither', async () => {
      const at = freshThread()
      await turn(checkpointer(), at, 'run-0', ['a'])
      const [first] = await frames(checkpointer(), at)
      const put = { tenant: at.tenant, thread: at.thread, seq: 1, hash: first?.hash ?? '', text: 'S' }
      await Promise.all([
        ...Array.from({ length: 5 }, () => checkpointer().putSnapshot(put)),
        turn(checkpointer(), at, 'run-1', ['b', 'c']),
      ])
      const begin = await claim(checkpointer(), request(at, 'run-2'))
      expect(begin).toMatchObject({ head: 3, chainBytes: 2, baseBytes: 1 })
      expect(begin.frames?.map(({ text }) => text)).toEqual(['S', 'b', 'c'])
    })

    test('a thread deleted under a claim or a commit is gone, and nothing of it comes back', async () => {
      for (let round = 0; round < 10; round++) {
        const at = freshThread()
        const begin = request(at)
        const { commit } = commitOf(tipOf(begin, await claim(checkpointer(), begin)), 0, ['a'])
        await Promise.all([checkpointer().commitStep(commit), checkpointer().threads.delete(at)])
        expect(await checkpointer().threads.get(at)).toBeUndefined()
        expect(await database.sql`select 1 from recollect.checkpoints where tenant = ${at.tenant}`).toEqual([])
        expect(await database.sql`select 1 from recollect.runs where tenant = ${at.tenant}`).toEqual([])
      }
    })
  })
})
