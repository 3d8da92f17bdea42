// The contract of beginTurn: who gets a thread, who is told what, and what a lost worker leaves.
import { expect, test } from 'vitest'
import {
  claim,
  commitOf,
  committed,
  freshThread,
  passing,
  request,
  type Subject,
  takeOver,
  tipOf,
  turn,
} from './turn.ts'

export function claims(subject: Subject) {
  test('a first turn makes the thread and gets all that it needs', async () => {
    const at = freshThread()
    expect(await claim(subject(), request(at))).toEqual({
      outcome: 'claimed',
      ...{ run: 'run-1', mine: true, graph: 'graph', owner: 'ada' },
      ...{ epoch: 1, head: 0, hash: '', lastSeq: 0, step: 0, attempts: 1 },
      ...{ input: '"input of run-1"', carried: [], chainBytes: 0, baseBytes: 0, frames: [] },
      ...{ cancelled: false, superstep: { run: 'run-1', step: 1 }, saved: [], kind: 'input', stops: [], answers: [] },
    })
    expect(await subject().threads.get(at)).toMatchObject({ status: 'busy', graph: 'graph', owner: 'ada' })
  })

  test('a thread that does not exist is made only when that is asked, and for somebody', async () => {
    const at = freshThread()
    const unknown = { outcome: 'unknown-thread' }
    expect(await subject().beginTurn(request(at, 'run-1', { createThread: false }))).toEqual(unknown)
    expect(await subject().beginTurn(request({ ...at, owner: null }))).toEqual(unknown)
    expect(await subject().threads.get(at)).toBeUndefined()
  })

  test("another owner's thread is as unknown as none, and another tenant's of the same ids is another", async () => {
    const at = freshThread()
    await turn(subject(), at, 'run-1', ['d'])
    expect(await subject().beginTurn(request({ ...at, owner: 'bob' }, 'run-2'))).toEqual({ outcome: 'unknown-thread' })
    const elsewhere = await claim(subject(), request(freshThread(), 'run-1'))
    expect(elsewhere).toMatchObject({ head: 0, mine: true, epoch: 1 })
  })

  test('a claim whose acknowledgement was lost is found again by its token, and counts once', async () => {
    const begin = request(freshThread())
    const first = await claim(subject(), begin)
    expect(await claim(subject(), begin)).toEqual(first)
    expect(await claim(subject(), begin)).toEqual(first)
  })

  test('a second turn on a busy thread is refused with the time to wait, and leaves no row', async () => {
    const at = freshThread()
    const startedAt = performance.now()
    await claim(subject(), request(at, 'run-1', { leaseMs: 5_000 }))
    const refused = await subject().beginTurn(request(at, 'run-2'))
    const passedMs = performance.now() - startedAt
    expect(refused).toMatchObject({ outcome: 'busy', run: 'run-1' })
    const retryAfterMs = refused.outcome === 'busy' ? refused.retryAfterMs : Number.NaN
    // What is left of the lease; a clock of whole milliseconds may be one off.
    expect(retryAfterMs).toBeGreaterThanOrEqual(5_000 - passedMs - 1)
    expect(retryAfterMs).toBeLessThanOrEqual(5_000)
    expect((await subject().runs.list(at, { limit: 10, offset: 0 })).map(({ run }) => run)).toEqual(['run-1'])
  })

  test('a run whose lease has run out is taken over by whoever comes next, with its input', async () => {
    const at = freshThread()
    const first = await claim(subject(), request(at, 'run-1', { leaseMs: 20 }))
    await passing(40)
    const taken = await claim(subject(), request(at, 'run-2'))
    expect(taken).toMatchObject({ run: 'run-1', mine: false, input: '"input of run-1"', attempts: 2, step: 0 })
    expect(taken.epoch).toBeGreaterThan(first.epoch)
    // Whoever asks again for a run that is being worked on waits for its answer.
    const again = await subject().beginTurn(request(at, 'run-1', { token: 'another' }))
    expect(again).toEqual({ outcome: 'queued', run: 'run-1', ahead: 0 })
  })

  test('the run that asks for itself again after its lease is its own', async () => {
    const at = freshThread()
    await claim(subject(), request(at, 'run-1', { leaseMs: 20 }))
    await passing(40)
    expect(await claim(subject(), request(at, 'run-1', { token: 'second try' }))).toMatchObject({
      ...{ run: 'run-1', mine: true, attempts: 2 },
    })
  })

  test('a sweep takes over what is due, and is told when nothing is', async () => {
    const at = freshThread()
    await claim(subject(), request(at, 'run-1', { leaseMs: 20 }))
    await passing(40)
    const begin = takeOver({ ...at, owner: null }, 'sweep')
    const taken = await claim(subject(), begin)
    expect(taken).toMatchObject({ run: 'run-1', mine: false, owner: 'ada' })
    await committed(subject(), tipOf(begin, taken), 0, ['d'])
    expect(await subject().beginTurn(takeOver(at, 'again'))).toEqual({ outcome: 'nothing-due' })
    expect(await subject().beginTurn(takeOver(freshThread(), 'x'))).toEqual({ outcome: 'unknown-thread' })
  })

  test("another graph's run is left to a worker that has that graph", async () => {
    const at = freshThread()
    await claim(subject(), request(at, 'run-1', { leaseMs: 20 }))
    await passing(40)
    const other = request(at, 'run-2', { graph: 'other' })
    expect(await subject().beginTurn(other)).toMatchObject({ outcome: 'busy', run: 'run-1' })
    expect(await claim(subject(), request(at, 'run-3'))).toMatchObject({ run: 'run-1', attempts: 2 })
  })

  test('a renewal prolongs the lease of its own claim and of no other', async () => {
    const at = freshThread()
    const begin = request(at, 'run-1', { leaseMs: 100 })
    const { claim: held } = tipOf(begin, await claim(subject(), begin))
    for (const wrong of [{ token: 'x' }, { epoch: 7 }, { run: 'x' }, { thread: 'x' }, { tenant: 'x' }]) {
      expect(await subject().renewLease({ ...held, ...wrong }, 60_000)).toBe('fenced')
    }
    expect(await subject().renewLease(held, 60_000)).toBe('held')
    await passing(120)
    expect(await subject().beginTurn(request(at, 'run-2'))).toMatchObject({ outcome: 'busy' })
  })

  test('a renewal after the take-over says that the claim is lost', async () => {
    const at = freshThread()
    const begin = request(at, 'run-1', { leaseMs: 20 })
    const { claim: lost } = tipOf(begin, await claim(subject(), begin))
    await passing(40)
    await claim(subject(), request(at, 'run-2'))
    expect(await subject().renewLease(lost, 60_000)).toBe('fenced')
  })

  test('a claim given back frees the thread at once, leaves the run due, and is no attempt', async () => {
    const at = freshThread()
    for (let time = 1; time <= 7; time++) {
      const begin = request(at, 'run-1', { token: `worker ${time}` })
      const claimed = await claim(subject(), begin)
      expect(claimed.attempts).toBe(1)
      const { claim: held } = tipOf(begin, claimed)
      await subject().releaseTurn({ ...held, token: 'not mine' }, [])
      expect(await subject().beginTurn(request(at, 'run-2'))).toMatchObject({ outcome: 'busy' })
      await subject().releaseTurn(held, [])
      await subject().releaseTurn(held, [])
    }
    expect(await claim(subject(), request(at, 'run-2'))).toMatchObject({ run: 'run-1', attempts: 1 })
  })

  test('after five claims without a commit a run is dead, says why, and the thread goes on', async () => {
    const at = freshThread()
    for (let attempt = 1; attempt <= 5; attempt++) {
      const begin = request(at, 'run-1', { leaseMs: 10, token: `worker ${attempt}` })
      expect(await claim(subject(), begin)).toMatchObject({ attempts: attempt })
      await passing(25)
    }
    expect(await subject().beginTurn(takeOver(at, 'sweep'))).toEqual({ outcome: 'nothing-due' })
    const dead = await subject().runs.get(at, 'run-1')
    expect(dead).toMatchObject({ status: 'dead', attempts: 5, error: { code: 'run_failed' } })
    expect(dead?.error?.message).toContain('5 times')
    expect(await subject().threads.get(at)).toMatchObject({ status: 'error' })
    expect(await subject().beginTurn(request(at, 'run-1'))).toEqual({ outcome: 'ended', run: dead })
    expect(await claim(subject(), request(at, 'run-2'))).toMatchObject({ run: 'run-2', mine: true })
  })

  test('a run that dies when it is asked for is answered as dead, and one behind it is claimed', async () => {
    const at = freshThread()
    const begin = request(at, 'run-1', { leaseMs: 10, maxAttempts: 1 })
    await claim(subject(), begin)
    await passing(25)
    const asked = { ...begin, token: 'again' }
    expect(await subject().beginTurn(asked)).toMatchObject({ outcome: 'ended', run: { status: 'dead' } })
    expect(await claim(subject(), request(at, 'run-2', { maxAttempts: 1 }))).toMatchObject({ run: 'run-2' })
  })

  test('a claim that is given up leaves the thread free, and of its own new run no row', async () => {
    const at = freshThread()
    await claim(subject(), request(at, 'kept'))
    await subject().abandonTurn({ ...at, token: 'of somebody else', run: 'kept' })
    expect(await subject().runs.get(at, 'kept')).toMatchObject({ status: 'running' })
    await subject().abandonTurn({ ...at, token: 'token of kept', run: 'kept' })
    await subject().abandonTurn({ ...at, token: 'token of kept', run: 'kept' })
    expect(await subject().runs.get(at, 'kept')).toBeUndefined()
    expect(await subject().threads.get(at)).toMatchObject({ status: 'idle' })
    expect(await claim(subject(), request(at, 'kept'))).toMatchObject({ run: 'kept', mine: true, attempts: 1 })
  })

  test("a claim that is given up gives another's run back, and does not count as an attempt", async () => {
    const at = freshThread()
    await claim(subject(), request(at, 'run-1', { leaseMs: 10 }))
    await passing(25)
    await claim(subject(), request(at, 'run-2'))
    await subject().abandonTurn({ ...at, token: 'token of run-2', run: 'run-2' })
    expect(await claim(subject(), request(at, 'run-3'))).toMatchObject({ run: 'run-1', mine: false, attempts: 2 })
  })

  test('a run that has committed is not taken away with its claim', async () => {
    const at = freshThread()
    const begin = request(at)
    const running = { status: 'running', leaseMs: 10 } as const
    await committed(subject(), tipOf(begin, await claim(subject(), begin)), 0, ['kept'], running)
    await passing(25)
    await claim(subject(), { ...begin, token: 'second try' })
    await subject().abandonTurn({ ...at, token: 'second try', run: 'run-1' })
    expect(await subject().runs.get(at, 'run-1')).toMatchObject({ status: 'running', attempts: 0 })
    expect(await claim(subject(), request(at, 'run-2'))).toMatchObject({ run: 'run-1', mine: false, step: 0, head: 1 })
  })

  test('a worker whose claim was given up for it can commit nothing', async () => {
    const at = freshThread()
    const begin = request(at)
    const tip = tipOf(begin, await claim(subject(), begin))
    await subject().abandonTurn({ ...at, token: begin.token, run: null })
    expect(await subject().commitStep(commitOf(tip, 1, ['delta']).commit)).toMatchObject({ outcome: 'fenced' })
  })
}
