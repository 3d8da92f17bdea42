// The contract of questions that end without an answer, and of the list of them all.
import { expect, test } from 'vitest'
import type { NewRun, ThreadKey } from '../../../src/ports/checkpointer.ts'
import type { Later } from '../later.ts'
import { answering, attemptsOf, listing, outcomeOf, question, statusOf, waiting } from './questions.ts'
import {
  asking,
  claim,
  committed,
  freshThread,
  passing,
  request,
  type Subject,
  statuses,
  takeOver,
  tipOf,
  turn,
} from './turn.ts'

const failure = { status: 'error', error: { code: 'node_failed', message: 'No.' } } as const

export function withdrawals(subject: Subject, later: Later) {
  const answer = (...request: Parameters<typeof answering>) => subject().approvals.answer(answering(...request))
  const begun = (at: ThreadKey, run: string, change: Partial<NewRun>) => {
    const { run: asked, ...begin } = request(at, run)
    return { ...begin, run: asked && { ...asked, ...change } }
  }
  /** One question of a waiting run. */
  const asked = async (change: Parameters<typeof question>[0] = {}, at = freshThread()) => {
    const { id } = question(change)
    await waiting(subject(), at, [question({ ...change, id })])
    return { at, id }
  }
  /** One question is answered and taken up; the other is open. */
  const half = async () => {
    const at = freshThread()
    const [one, other] = [question(), question({ task: 1 })]
    await waiting(subject(), at, [one, other])
    await answer(at, one.id)
    const taking = takeOver(at, 'worker')
    return { at, tip: tipOf(taking, await claim(subject(), taking)), answered: one.id, open: other.id }
  }

  test('new input withdraws what was asked: an answer is too late then, and is told why', async () => {
    for (const strategy of ['enqueue', 'interrupt', 'rollback'] as const) {
      const { at, id } = await asked()
      const claimed = await claim(subject(), asking(at, 'run-2', strategy))
      const head = strategy === 'rollback' ? 0 : 1
      expect(claimed).toMatchObject({ run: 'run-2', mine: true, head, answers: [] })
      expect(await statuses(subject(), at)).toEqual({ 'run-1': 'cancelled', 'run-2': 'running' })
      expect(await answer(at, id)).toMatchObject({ outcome: 'cancelled', approval: { status: 'cancelled' } })
      expect(await attemptsOf(subject(), at, id)).toEqual(['boss api cancelled'])
      expect((await subject().loadChain({ ...at, seq: null, count: 1 }))?.asked).toEqual([])
    }
  })

  test('rollback puts the head back to where the run began that waits, and what it left stays readable', async () => {
    const at = freshThread()
    const before = await turn(subject(), at, 'run-0', ['zero', 'done'])
    const begin = request(at, 'run-1')
    const tip = tipOf(begin, await claim(subject(), begin))
    await committed(subject(), tip, 0, ['input'], { status: 'waiting', questions: [question()] })
    await subject().beginTurn(asking(at, 'run-2', 'reject'))
    expect(await subject().threads.get(at)).toMatchObject({ status: 'interrupted', head: tip.head + 1 })
    const { head, hash } = before
    const rolled = await claim(subject(), asking(at, 'run-3', 'rollback'))
    expect(rolled).toMatchObject({ run: 'run-3', head, hash, carried: [], answers: [], lastSeq: head + 1 })
    expect(rolled.epoch).toBeGreaterThan(tip.claim.epoch)
    expect(await statuses(subject(), at)).toEqual({ 'run-0': 'success', 'run-1': 'cancelled', 'run-3': 'running' })
    const branch = async (seq: number | null) =>
      (await subject().loadChain({ ...at, seq, count: 100 }))?.frames.map((frame) => frame.run)
    expect(await branch(null)).not.toContain('run-1')
    expect(await branch(head + 1)).toContain('run-1')
  })

  test('rollback past a run in line reaches the run that waits before it', async () => {
    const at = freshThread()
    const begin = request(at, 'run-1')
    const tip = tipOf(begin, await claim(subject(), begin))
    await subject().beginTurn(asking(at, 'run-2', 'enqueue'))
    await committed(subject(), tip, 0, ['input'], { status: 'waiting', questions: [question()] })
    expect(await claim(subject(), asking(at, 'run-3', 'rollback'))).toMatchObject({ run: 'run-3', head: 0, hash: '' })
    expect(await statuses(subject(), at)).toEqual({ 'run-1': 'cancelled', 'run-2': 'cancelled', 'run-3': 'running' })
  })

  test('a run that stopped by itself is done: rollback goes on from its head', async () => {
    const at = freshThread()
    await waiting(subject(), at, [])
    expect(await claim(subject(), asking(at, 'run-2', 'rollback'))).toMatchObject({ run: 'run-2', head: 1 })
    expect(await statuses(subject(), at)).toEqual({ 'run-1': 'success', 'run-2': 'running' })
  })

  test('an answer that nobody has taken up yet is good for nothing once its run is pushed aside or cancelled', async () => {
    const aside = await asked()
    await answer(aside.at, aside.id, { token: 'key' })
    await claim(subject(), asking(aside.at, 'run-2', 'interrupt'))
    expect(await statusOf(subject(), aside.at, aside.id)).toBe('cancelled')
    const repeated = await answer(aside.at, aside.id, { token: 'key' })
    expect(repeated).toMatchObject({ outcome: 'repeated', approval: { status: 'cancelled' } })
    const { at, id } = await asked()
    await answer(at, id)
    const cancelling = { ...at, run: 'run-1', token: 'c', leaseMs: 60_000, inlineBytes: 16_384 }
    expect(await subject().cancelRun(cancelling)).toMatchObject({ outcome: 'claimed', cancelled: true, answers: [] })
    expect(await outcomeOf(answer(at, id))).toBe('cancelled')
  })

  test('a waiting run is cancelled with its questions, and its own end is committed', async () => {
    const { at, id } = await asked()
    const cancelling = { ...at, run: 'run-1', token: 'c', leaseMs: 60_000, inlineBytes: 16_384 }
    const claimed = await subject().cancelRun(cancelling)
    expect(claimed).toMatchObject({ outcome: 'claimed', run: 'run-1', cancelled: true })
    expect(await outcomeOf(answer(at, id))).toBe('cancelled')
    if (claimed.outcome !== 'claimed') return
    const tip = tipOf({ ...request(at), token: 'c' }, claimed)
    await committed(subject(), tip, 1, [], { status: 'cancelled' })
    expect(await statuses(subject(), at)).toEqual({ 'run-1': 'cancelled' })
    expect(await subject().threads.get(at)).toMatchObject({ status: 'idle', head: 1 })
  })

  test('a run that fails withdraws what is open; what was answered stays for whoever goes on', async () => {
    const { at, tip, answered, open } = await half()
    await committed(subject(), tip, 1, [], failure)
    expect(await outcomeOf(answer(at, open))).toBe('cancelled')
    expect(await statusOf(subject(), at, answered)).toBe('answered')
    const onward = await claim(subject(), begun(at, 'run-2', { input: 'null' }))
    expect(onward).toMatchObject({ superstep: { run: 'run-1', step: 1 }, answers: [{ id: answered }] })
    const anew = freshThread()
    const { id } = question()
    await waiting(subject(), anew, [question({ id })])
    await answer(anew, id)
    const taking = takeOver(anew, 'worker')
    await committed(subject(), tipOf(taking, await claim(subject(), taking)), 1, [], failure)
    expect(await claim(subject(), request(anew, 'run-2'))).toMatchObject({ answers: [] })
  })

  test('a run that is given up withdraws what it asked and what it was answered', async () => {
    const dead = await half()
    await subject().releaseTurn(dead.tip.claim, [])
    for (let tries = 1; tries <= 5; tries++) {
      await claim(subject(), takeOver(dead.at, `worker ${tries}`, { leaseMs: 1 }))
      await passing(5)
    }
    expect(await outcomeOf(subject().beginTurn(takeOver(dead.at, 'last')) as never)).toBe('nothing-due')
    expect(await statuses(subject(), dead.at)).toEqual({ 'run-1': 'dead' })
    for (const id of [dead.answered, dead.open]) expect(await outcomeOf(answer(dead.at, id))).toBe('cancelled')
    const gone = await half()
    await subject().releaseTurn(gone.tip.claim, [])
    await passing(5)
    // Of any other graph: suites beside this one have theirs.
    await subject().giveUpRuns({ graphsOtherThan: ['other'], olderThanMs: 1 })
    expect(await statuses(subject(), gone.at)).toEqual({ 'run-1': 'dead' })
    for (const id of [gone.answered, gone.open]) expect(await outcomeOf(answer(gone.at, id))).toBe('cancelled')
  })

  test('a fork has nothing of what was asked or answered on the other branch', async () => {
    const open = await asked()
    const fork = await claim(subject(), begun(open.at, 'run-2', { forkFrom: 1, input: 'null' }))
    expect(fork).toMatchObject({ head: 1, superstep: { run: 'run-2', step: 1 }, answers: [], saved: [] })
    expect(await outcomeOf(answer(open.at, open.id))).toBe('cancelled')
    const { at, tip, answered } = await half()
    await committed(subject(), tip, 1, ['done'])
    const again = await claim(subject(), begun(at, 'run-2', { forkFrom: 1, input: 'null' }))
    expect(again).toMatchObject({ head: 1, superstep: { run: 'run-2', step: 1 }, answers: [] })
    expect(await statusOf(subject(), at, answered)).toBe('answered')
    const copy = { ...at, thread: 'copy' }
    await subject().threads.copy(at, 'copy')
    const copied = await claim(subject(), begun(copy, 'run-3', { input: 'null' }))
    expect(copied).toMatchObject({ superstep: { run: 'run-3', step: 1 }, answers: [] })
  })

  test('what nobody answers in time expires: nobody can answer it, and the sweep makes its run due, once', async () => {
    const { at, id } = await asked({ expiresInMs: 10 })
    const other = await asked({ expiresInMs: 60_000 })
    await passing(30)
    expect(await statusOf(subject(), at, id)).toBe('expired')
    expect(await outcomeOf(answer(at, id))).toBe('expired')
    expect(await subject().approvals.list(listing(at, { status: 'expired' }))).toHaveLength(1)
    expect(await subject().approvals.list(listing(at, { status: 'pending' }))).toHaveLength(0)
    expect((await subject().loadChain({ ...at, seq: null, count: 1 }))?.asked).toEqual([])
    expect(await statuses(subject(), at)).toEqual({ 'run-1': 'waiting' })
    // Of all tenants: others have expired beside it.
    expect(await subject().approvals.expire(1_000)).toBeGreaterThan(0)
    expect(await statuses(subject(), at)).toEqual({ 'run-1': 'queued' })
    expect(await statuses(subject(), other.at)).toEqual({ 'run-1': 'waiting' })
    expect(await outcomeOf(answer(at, id))).toBe('expired')
    expect(await attemptsOf(subject(), at, id)).toEqual(['boss api expired', 'boss api expired'])
    expect(await claim(subject(), takeOver(at, 'worker'))).toMatchObject({
      run: 'run-1',
      answers: [{ id, status: 'expired', answer: null }],
    })
    await subject().approvals.expire(1_000)
    expect(await statuses(subject(), at)).toEqual({ 'run-1': 'running' })
  })

  test('the sweep ends at most so many at once, those first whose time was over first', async () => {
    const [at, next] = [freshThread(), freshThread()]
    // Where one clock goes for all, what other tests have asked is over by now too.
    await later(at.tenant, 60_100)
    await subject().approvals.expire(1_000)
    const second = await asked({ expiresInMs: 600_000 }, at)
    const first = await asked({ expiresInMs: 60_000 }, next)
    for (const { tenant } of [at, next]) await later(tenant, 600_100)
    expect(await subject().approvals.expire(1)).toBe(1)
    expect(await statuses(subject(), first.at)).toEqual({ 'run-1': 'queued' })
    expect(await statuses(subject(), second.at)).toEqual({ 'run-1': 'waiting' })
    expect(await subject().approvals.expire(1)).toBe(1)
    expect(await subject().approvals.expire(1)).toBe(0)
  })

  test('a run that failed for want of an answer asks anew when it is gone on with', async () => {
    const { at, id } = await asked({ expiresInMs: 1 })
    await passing(20)
    await subject().approvals.expire(1_000)
    const taking = takeOver(at, 'worker')
    await committed(subject(), tipOf(taking, await claim(subject(), taking)), 1, [], failure)
    expect(await claim(subject(), begun(at, 'run-2', { input: 'null' }))).toMatchObject({ answers: [] })
    expect(await statusOf(subject(), at, id)).toBe('expired')
  })

  test('they are listed newest first, by page, thread, run, status and owner', async () => {
    const at = freshThread()
    const ids = [question(), question({ task: 1 }), question({ task: 2 })].map(({ id }) => id)
    await waiting(
      subject(),
      at,
      ids.map((id, task) => question({ id, task })),
    )
    const bobs = { ...at, thread: 'second', owner: 'bob' }
    const other = question()
    await waiting(subject(), bobs, [other], 'run-2')
    await answer(at, ids[1] ?? '')
    const list = async (change: Parameters<typeof listing>[1]) =>
      (await subject().approvals.list(listing(at, change))).map(({ id }) => id)
    expect(await list({})).toEqual([other.id, ...ids.toReversed()])
    expect(await list({ limit: 2 })).toEqual([other.id, ids[2]])
    expect(await list({ limit: 2, offset: 2 })).toEqual([ids[1], ids[0]])
    expect(await list({ limit: 2, offset: 4 })).toEqual([])
    expect(await list({ thread: 'second' })).toEqual([other.id])
    expect(await list({ run: 'run-1', status: 'pending' })).toEqual([ids[2], ids[0]])
    expect(await list({ status: 'answered' })).toEqual([ids[1]])
    expect(await list({ owner: 'bob' })).toEqual([other.id])
    expect(await list({ owner: 'eve' })).toEqual([])
    expect(await list({ thread: 'none' })).toEqual([])
    expect(await subject().approvals.list(listing({ tenant: 'none' }))).toEqual([])
  })

  test('a thread that is deleted takes them with it, and what was noted of them', async () => {
    const { at, id } = await asked()
    await answer(at, id, { token: 'msg-1', webhook: true })
    expect(await subject().threads.delete(at)).toBe(true)
    expect(await subject().approvals.get({ ...at, owner: null }, id)).toBeUndefined()
    expect(await subject().approvals.list(listing(at))).toEqual([])
    expect(await subject().approvals.attempts(at.tenant, id)).toEqual([])
    expect(await answer(at, id, { token: 'msg-1', webhook: true })).toEqual({ outcome: 'unknown' })
    await turn(subject(), at, 'run-1', ['input'])
    expect(await subject().approvals.list(listing(at))).toEqual([])
  })
}
