// Cancelling a run from anywhere: in line, at work elsewhere, or left behind.
import { expect, test } from 'vitest'
import type { CancelRun, ThreadKey } from '../../../src/ports/checkpointer.ts'
import {
  asking,
  claim,
  commitOf,
  committed,
  frames,
  freshThread,
  passing,
  request,
  type Subject,
  statuses,
  takeOver,
  tipOf,
  turn,
} from './turn.ts'

const cancelling = (at: ThreadKey, run: string, change: Partial<CancelRun> = {}): CancelRun => ({
  ...{ ...at, run, token: 'canceller', leaseMs: 60_000, inlineBytes: 16_384 },
  ...change,
})

export function cancellation(subject: Subject) {
  test('a run at work is taken from its holder, who is told why, and handed over to be ended', async () => {
    const at = freshThread()
    const begin = request(at)
    const held = tipOf(begin, await claim(subject(), begin))
    const claimed = await subject().cancelRun(cancelling(at, 'run-1'))
    expect(claimed).toMatchObject({ outcome: 'claimed', run: 'run-1', cancelled: true, mine: false, epoch: 2 })
    expect(claimed).toMatchObject({ input: '"input of run-1"', head: 0 })
    expect(await subject().renewLease(held.claim, 60_000)).toBe('cancelled')
    const late = await subject().commitStep(commitOf(held, 0, ['late']).commit)
    expect(late).toMatchObject({ outcome: 'fenced', status: 'cancelled' })
    if (claimed.outcome !== 'claimed') return
    const tip = tipOf({ ...begin, token: 'canceller' }, claimed)
    await committed(subject(), tip, 1, ['input'], { status: 'cancelled' })
    expect(await subject().runs.get(at, 'run-1')).toMatchObject({ status: 'cancelled', answer: 1 })
    expect(await subject().threads.get(at)).toMatchObject({ status: 'idle', head: 1 })
    expect((await frames(subject(), at)).map(({ text }) => text)).toEqual(['input'])
  })

  test('sent again with its token it finds its own claim; by somebody else it is taken once more', async () => {
    const at = freshThread()
    await claim(subject(), request(at))
    const first = await subject().cancelRun(cancelling(at, 'run-1'))
    expect(await subject().cancelRun(cancelling(at, 'run-1'))).toEqual(first)
    expect(await subject().cancelRun(cancelling(at, 'run-1', { token: 'other' }))).toMatchObject({ epoch: 3 })
  })

  test('a canceller that is lost leaves the run to be ended, not run, by whoever takes it up', async () => {
    const at = freshThread()
    await claim(subject(), request(at))
    await subject().cancelRun(cancelling(at, 'run-1', { leaseMs: 10 }))
    await passing(20)
    expect(await claim(subject(), takeOver(at, 'sweep'))).toMatchObject({ run: 'run-1', cancelled: true })
  })

  test('a run in line is ended at once, and is passed over', async () => {
    const at = freshThread()
    const begin = request(at)
    const held = tipOf(begin, await claim(subject(), begin))
    for (const run of ['run-2', 'run-3']) await subject().beginTurn(asking(at, run, 'enqueue'))
    const ended = await subject().cancelRun(cancelling(at, 'run-2'))
    expect(ended).toMatchObject({ outcome: 'ended', run: { run: 'run-2', status: 'cancelled' } })
    await committed(subject(), held, 0, ['d'])
    expect(await claim(subject(), asking(at, 'run-3', 'enqueue'))).toMatchObject({ run: 'run-3', mine: true })
    expect(await statuses(subject(), at)).toEqual({ 'run-1': 'success', 'run-2': 'cancelled', 'run-3': 'running' })
  })

  test('a run that has ended is left as it is', async () => {
    const at = freshThread()
    await turn(subject(), at, 'run-1', ['d'])
    const ended = await subject().cancelRun(cancelling(at, 'run-1'))
    expect(ended).toMatchObject({ outcome: 'ended', run: { status: 'success', answer: 1 } })
  })

  test('what is not there, or not theirs, is unknown and goes on', async () => {
    const at = freshThread()
    await claim(subject(), request(at))
    const cancel = (change: Partial<CancelRun>) => subject().cancelRun(cancelling(at, 'run-1', change))
    expect(await cancel({ owner: 'bob' })).toEqual({ outcome: 'unknown-thread' })
    expect(await cancel({ tenant: 'x' })).toEqual({ outcome: 'unknown-thread' })
    expect(await cancel({ run: 'x' })).toEqual({ outcome: 'unknown-run' })
    await turn(subject(), { ...at, thread: 'other' }, 'run-9', ['d'])
    expect(await cancel({ run: 'run-9' })).toEqual({ outcome: 'unknown-run' })
    expect(await subject().threads.get(at)).toMatchObject({ status: 'busy' })
    expect(await cancel({ owner: null })).toMatchObject({ outcome: 'claimed' })
  })
}
