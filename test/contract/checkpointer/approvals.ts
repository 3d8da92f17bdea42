// The contract of answers to questions: for exactly what was shown, by whoever may, once.
import { expect, test } from 'vitest'
import { answering, attemptsOf, outcomeOf, question, statusOf, waiting } from './questions.ts'
import {
  claim,
  commitOf,
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

export function approvals(subject: Subject) {
  const answer = (...request: Parameters<typeof answering>) => subject().approvals.answer(answering(...request))

  test('a question is kept with what it is bound to, and its run owns the thread until it is answered', async () => {
    const at = freshThread()
    const asked = question({ approvers: ['boss', 'bob'], notRequester: true, expiresInMs: 60_000 })
    await waiting(subject(), at, [asked])
    const { key: _key, expiresInMs: _expiry, ...shown } = asked
    const kept = await subject().approvals.get(at, asked.id)
    expect(kept).toEqual({
      ...shown,
      ...{ thread: 'thread', run: 'run-1', graph: 'graph', requester: 'ada', seq: 1, status: 'pending' },
      ...{ answer: null, answeredBy: null, answeredVia: null, answeredAt: null },
      createdAt: expect.any(String),
      expiresAt: expect.any(String),
    })
    const [created, expires] = [kept?.createdAt, kept?.expiresAt].map((time) => new Date(time ?? '').getTime())
    expect(Math.abs((expires ?? 0) - (created ?? 0) - 60_000)).toBeLessThan(1_000)
    expect(await subject().threads.get(at)).toMatchObject({ status: 'interrupted', head: 1 })
    expect(await statuses(subject(), at)).toEqual({ 'run-1': 'waiting' })
    const chain = await subject().loadChain({ ...at, seq: null, count: 1 })
    expect(chain?.asked.map(({ id }) => id)).toEqual([asked.id])
    expect(await subject().beginTurn(takeOver(at, 'sweep'))).toEqual({ outcome: 'nothing-due' })
    expect(await subject().beginTurn(request(at, 'run-2'))).toMatchObject({ outcome: 'waiting', run: { run: 'run-1' } })
  })

  test('an answer is kept with who gave it, makes the run due, and is there for whoever takes it up, once', async () => {
    const at = freshThread()
    const graph = `graph of ${at.tenant}`
    const asked = question()
    const begin = request(at, 'run-1', { graph })
    const held = tipOf(begin, await claim(subject(), begin))
    await committed(subject(), held, 0, ['input'], { status: 'waiting', questions: [asked] })
    expect(await subject().orphans({ graphs: [graph], limit: 10 })).toEqual([])
    const accepted = await answer(at, asked.id, { via: 'webhook' })
    const given = { status: 'answered', answer: '{"approved":true}', answeredBy: 'boss', answeredVia: 'webhook' }
    expect(accepted).toMatchObject({ outcome: 'accepted', approval: { id: asked.id, ...given } })
    expect(await subject().approvals.get(at, asked.id)).toMatchObject({ ...given, answeredAt: expect.any(String) })
    expect(await subject().threads.get(at)).toMatchObject({ status: 'busy' })
    expect(await subject().orphans({ graphs: [graph], limit: 10 })).toMatchObject([{ run: 'run-1' }])
    const taking = takeOver(at, 'worker', { graph })
    const taken = await claim(subject(), taking)
    expect(taken).toMatchObject({ run: 'run-1', head: 1, superstep: { run: 'run-1', step: 1 }, epoch: 2 })
    const { id, task, node, key, kind, payload } = asked
    expect(taken.answers).toEqual([
      { id, task, node, key, kind, payload, status: 'answered', answer: '{"approved":true}' },
    ])
    expect(await outcomeOf(subject().beginTurn(takeOver(at, 'other', { graph })) as never)).toBe('nothing-due')
    await committed(subject(), tipOf(taking, taken), 1, ['done'])
    expect(await statusOf(subject(), at, asked.id)).toBe('answered')
    expect((await claim(subject(), request(at, 'run-2', { graph }))).answers).toEqual([])
  })

  test('answered again it changes nothing: with the same key it is told the same, with another that it is too late', async () => {
    const at = freshThread()
    const asked = question()
    await waiting(subject(), at, [asked])
    const first = answering(at, asked.id, { token: 'key' })
    const accepted = await subject().approvals.answer(first)
    expect(accepted).toMatchObject({ outcome: 'accepted' })
    expect(await subject().approvals.answer(first)).toEqual({ ...accepted, outcome: 'repeated' })
    const other = { answer: '{"approved":false}', by: 'bob' }
    expect(await answer(at, asked.id, { ...other, token: 'key' })).toEqual({ ...accepted, outcome: 'repeated' })
    for (const change of [{}, other]) {
      expect(await answer(at, asked.id, change)).toEqual({ ...accepted, outcome: 'answered' })
    }
    expect(await subject().approvals.get(at, asked.id)).toMatchObject({ answeredBy: 'boss', answer: first.answer })
    expect(await attemptsOf(subject(), at, asked.id)).toEqual([
      ...['boss api accepted', 'boss api answered', 'bob api answered'],
    ])
    const taking = takeOver(at, 'worker')
    await committed(subject(), tipOf(taking, await claim(subject(), taking)), 1, ['done'])
    expect(await outcomeOf(subject().approvals.answer(first))).toBe('repeated')
    expect(await outcomeOf(answer(at, asked.id))).toBe('answered')
    expect(await statuses(subject(), at)).toEqual({ 'run-1': 'success' })
  })

  test('a webhook that was accepted is told the same again, whatever it says now, until it is forgotten', async () => {
    const at = freshThread()
    const [one, other] = [question(), question({ task: 1 })]
    await waiting(subject(), at, [one, other])
    const sent = answering(at, one.id, { token: 'msg-1', webhook: true, via: 'webhook' })
    const accepted = await subject().approvals.answer(sent)
    expect(accepted).toMatchObject({ outcome: 'accepted' })
    for (const again of [sent, { ...sent, id: other.id }, { ...sent, id: 'ap-none', answer: null }]) {
      expect(await subject().approvals.answer(again)).toEqual({ ...accepted, outcome: 'repeated' })
    }
    expect(await statusOf(subject(), at, other.id)).toBe('pending')
    // Another tenant's id of the same name is another id.
    const elsewhere = freshThread()
    const there = question()
    await waiting(subject(), elsewhere, [there])
    expect(await outcomeOf(answer(elsewhere, there.id, { token: 'msg-1', webhook: true }))).toBe('accepted')
    await passing(5)
    await subject().approvals.purge(60_000)
    expect(await outcomeOf(subject().approvals.answer({ ...sent, id: other.id }))).toBe('repeated')
    await subject().approvals.purge(1)
    expect(await outcomeOf(subject().approvals.answer({ ...sent, id: other.id }))).toBe('accepted')
  })

  test('one that is refused is not remembered: the same webhook is accepted once it may be', async () => {
    const at = freshThread()
    const asked = question()
    await waiting(subject(), at, [asked])
    const webhook = { token: 'msg-1', webhook: true }
    expect(await outcomeOf(answer(at, asked.id, { ...webhook, approver: false }))).toBe('forbidden')
    expect(await outcomeOf(answer(at, asked.id, { ...webhook, answer: null }))).toBe('invalid')
    expect(await outcomeOf(answer(at, asked.id, webhook))).toBe('accepted')
  })

  test('whoever may answer is said by the question', async () => {
    const at = freshThread()
    const boss = { by: 'boss', approver: true }
    const ada = { by: 'ada', owner: 'ada', approver: false }
    const adaApproves = { by: 'ada', approver: true }
    const bob = { by: 'bob', approver: true }
    const nobody = { by: 'clerk', approver: false }
    const cases = [
      [{ answerer: 'owner' }, [ada, boss, adaApproves], []],
      [{ answerer: 'approver' }, [boss, adaApproves], [ada, nobody]],
      [{ answerer: 'approver', approvers: ['boss'] }, [boss], [bob, ada, adaApproves, nobody]],
      [{ answerer: 'approver', approvers: ['boss', 'ada'] }, [boss, adaApproves], [bob, ada]],
      [{ answerer: 'approver', approvers: [] }, [], [boss, ada]],
      [{ answerer: 'owner', approvers: ['boss'] }, [boss], [ada, bob]],
      [{ answerer: 'approver', notRequester: true }, [boss], [ada, adaApproves]],
      [{ answerer: 'owner', notRequester: true }, [boss], [ada, adaApproves]],
    ] as const
    let count = 0
    for (const [terms, may, mayNot] of cases) {
      // Nobody may where nobody is named.
      for (const who of may.length === 0 ? [undefined] : may) {
        const thread = { ...at, thread: `thread-${++count}` }
        const asked = question(terms)
        await waiting(subject(), thread, [asked], `run-${count}`)
        for (const other of mayNot) {
          expect([terms, other, await outcomeOf(answer(at, asked.id, other))]).toEqual([terms, other, 'forbidden'])
        }
        expect(await statusOf(subject(), at, asked.id)).toBe('pending')
        const refused = mayNot.map(({ by }) => `${by} api forbidden`)
        expect(await attemptsOf(subject(), at, asked.id)).toEqual(refused)
        if (who === undefined) continue
        expect([terms, who, await outcomeOf(answer(at, asked.id, who))]).toEqual([terms, who, 'accepted'])
        expect(await attemptsOf(subject(), at, asked.id)).toEqual([...refused, `${who.by} api accepted`])
      }
    }
  })

  test('nobody is told of what is not theirs: it is unknown, and nothing is noted', async () => {
    const at = freshThread()
    const asked = question({ answerer: 'owner' })
    await waiting(subject(), at, [asked])
    expect(await answer({ tenant: 'other' }, asked.id)).toEqual({ outcome: 'unknown' })
    expect(await answer(at, asked.id, { owner: 'eve', by: 'eve' })).toEqual({ outcome: 'unknown' })
    expect(await answer(at, 'ap-none')).toEqual({ outcome: 'unknown' })
    expect(await subject().approvals.get({ tenant: at.tenant, owner: 'eve' }, asked.id)).toBeUndefined()
    expect(await subject().approvals.get({ tenant: 'other', owner: null }, asked.id)).toBeUndefined()
    expect(await subject().approvals.attempts('other', asked.id)).toEqual([])
    expect(await attemptsOf(subject(), at, asked.id)).toEqual([])
    expect(await statusOf(subject(), at, asked.id)).toBe('pending')
  })

  test('an answer that is not valid is noted, and the question stays open', async () => {
    const at = freshThread()
    const asked = question()
    await waiting(subject(), at, [asked])
    expect(await answer(at, asked.id, { answer: null })).toMatchObject({
      outcome: 'invalid',
      approval: { status: 'pending' },
    })
    expect(await statuses(subject(), at)).toEqual({ 'run-1': 'waiting' })
    expect(await outcomeOf(answer(at, asked.id))).toBe('accepted')
    expect(await attemptsOf(subject(), at, asked.id)).toEqual(['boss api invalid', 'boss api accepted'])
  })

  test('an answer that comes before its question is early, nothing is kept of it, and it is accepted later', async () => {
    const at = freshThread()
    const asked = question()
    const begin = request(at)
    const tip = tipOf(begin, await claim(subject(), begin))
    const early = answering(at, asked.id, { run: 'run-1', token: 'msg-1', webhook: true })
    expect(await subject().approvals.answer(early)).toEqual({ outcome: 'early' })
    expect(await outcomeOf(subject().approvals.answer({ ...early, owner: 'ada' }))).toBe('early')
    for (const change of [{ run: 'run-9' }, { run: null }, { owner: 'eve' }, { tenant: 'other' }]) {
      expect(await outcomeOf(subject().approvals.answer({ ...early, ...change }))).toBe('unknown')
    }
    await committed(subject(), tip, 0, ['input'], { status: 'waiting', questions: [asked] })
    expect(await attemptsOf(subject(), at, asked.id)).toEqual([])
    // Of a run that waits, what it has not asked it does not ask.
    expect(await outcomeOf(answer(at, 'ap-none', { run: 'run-1' }))).toBe('unknown')
    expect(await outcomeOf(subject().approvals.answer(early))).toBe('accepted')
    const other = freshThread()
    await turn(subject(), other, 'run-1', ['d'])
    expect(await outcomeOf(answer(other, 'ap-none', { run: 'run-1' }))).toBe('unknown')
  })

  test('a task goes on once all that it asked is answered, whatever others ask', async () => {
    const at = freshThread()
    const asked = [question({ key: 'a' }), question({ key: 'b' }), question({ task: 1 })]
    const [a, b, other] = asked.map(({ id }) => id) as [string, string, string]
    await waiting(subject(), at, asked)
    await answer(at, b)
    expect(await statuses(subject(), at)).toEqual({ 'run-1': 'waiting' })
    await answer(at, a)
    expect(await statuses(subject(), at)).toEqual({ 'run-1': 'queued' })
    const taking = takeOver(at, 'worker')
    const taken = await claim(subject(), taking)
    expect(taken.answers.map(({ id, status }) => [id, status])).toEqual([
      ...[
        [a, 'answered'],
        [b, 'answered'],
        [other, 'pending'],
      ],
    ])
    // Answered in the midst of the work on the others: the run is due again as soon as it waits.
    expect(await outcomeOf(answer(at, other))).toBe('accepted')
    const { commit } = commitOf(tipOf(taking, taken), 1, [], {
      status: 'waiting',
      saved: [{ task: 0, key: '', value: '1' }],
    })
    expect(await subject().commitStep(commit)).toMatchObject({ outcome: 'applied' })
    expect(await statuses(subject(), at)).toEqual({ 'run-1': 'queued' })
    expect((await claim(subject(), takeOver(at, 'next'))).saved).toEqual([{ task: 0, key: '', value: '1' }])
  })

  test('asked again in the same superstep it is the same question, with the answer it has', async () => {
    const at = freshThread()
    const asked = question()
    await waiting(subject(), at, [asked, question({ task: 1 })])
    await answer(at, asked.id)
    const taking = takeOver(at, 'worker')
    const tip = tipOf(taking, await claim(subject(), taking))
    await committed(subject(), tip, 1, [], { status: 'waiting', questions: [{ ...asked, payload: '"other"' }] })
    expect(await subject().approvals.get(at, asked.id)).toMatchObject({ status: 'answered', payload: asked.payload })
  })
}
