// The contract of commitStep: once, by the holder of the claim only, from the head it was computed from.
import { expect, test } from 'vitest'
import type { StepCommit } from '../../../src/ports/checkpointer.ts'
import {
  claim,
  commitOf,
  committed,
  frames,
  freshThread,
  passing,
  request,
  type Subject,
  takeOver,
  tipOf,
  turn,
} from './turn.ts'

export function commits(subject: Subject) {
  const begun = async (at = freshThread(), run = 'run-1', leaseMs = 60_000) => {
    const begin = request(at, run, { leaseMs })
    return { at, begin, tip: tipOf(begin, await claim(subject(), begin)) }
  }

  test('a commit of two checkpoints moves the head, ends the run and frees the thread', async () => {
    const { at, tip } = await begun()
    const { commit, hash } = commitOf(tip, 1, ['input', 'answer'])
    expect(await subject().commitStep(commit)).toEqual({ outcome: 'applied', head: 2, status: 'success' })
    expect(await subject().threads.get(at)).toMatchObject({ head: 2, status: 'idle' })
    expect(await subject().runs.get(at, 'run-1')).toMatchObject({ status: 'success', step: 1, answer: 2, attempts: 0 })
    expect(await frames(subject(), at)).toMatchObject([
      { seq: 1, parent: 0, step: 0, run: 'run-1', kind: 'delta', text: 'input' },
      { seq: 2, parent: 1, step: 1, run: 'run-1', kind: 'delta', text: 'answer', hash },
    ])
    expect(await claim(subject(), request(at, 'run-2'))).toMatchObject({ head: 2, hash, lastSeq: 2, step: 0 })
  })

  test('a commit sent again is known again, however often, also when the thread has gone on', async () => {
    const { at, tip } = await begun()
    const first = commitOf(tip, 1, ['a', 'b'], { status: 'running' })
    expect(await subject().commitStep(first.commit)).toMatchObject({ outcome: 'applied', head: 2, status: 'running' })
    expect(await subject().commitStep(first.commit)).toEqual({ outcome: 'already', head: 2, status: 'running' })
    const last = commitOf({ ...tip, head: 2, hash: first.hash }, 2, ['c'])
    await subject().commitStep(last.commit)
    for (let time = 0; time < 3; time++) {
      expect(await subject().commitStep(last.commit)).toEqual({ outcome: 'already', head: 3, status: 'success' })
    }
    await turn(subject(), at, 'run-2', ['d'])
    expect(await subject().commitStep(last.commit)).toEqual({ outcome: 'already', head: 3, status: 'success' })
    expect((await frames(subject(), at)).map(({ text }) => text)).toEqual(['a', 'b', 'c', 'd'])
  })

  test('a late copy of an earlier commit writes nothing and moves nothing', async () => {
    const { at, tip } = await begun()
    const first = commitOf(tip, 0, ['a'], { status: 'running' })
    await subject().commitStep(first.commit)
    const second = await committed(subject(), { ...tip, head: 1, hash: first.hash }, 1, ['b'], { status: 'running' })
    expect(await subject().commitStep(first.commit)).not.toMatchObject({ outcome: 'applied' })
    expect(await subject().threads.get(at)).toMatchObject({ head: 2, status: 'busy' })
    await committed(subject(), second, 2, ['c'])
    expect((await frames(subject(), at)).map(({ text }) => text)).toEqual(['a', 'b', 'c'])
  })

  const guards: Record<string, Partial<StepCommit>> = {
    epoch: { epoch: 99 },
    'earlier epoch': { epoch: 0 },
    head: { head: 0 },
    hash: { hash: 'of another history' },
    token: { token: 'of another worker' },
    run: { run: 'of another request' },
    thread: { thread: 'elsewhere' },
    tenant: { tenant: 'somebody' },
  }
  test.each(Object.entries(guards))(
    'a commit with the wrong %s alone is fenced and writes nothing',
    async (_, wrong) => {
      const at = freshThread()
      await turn(subject(), at, 'run-0', ['before'])
      const { tip } = await begun(at)
      const { commit } = commitOf(tip, 0, ['x'])
      expect(await subject().commitStep({ ...commit, ...wrong })).toMatchObject({ outcome: 'fenced' })
      expect(await frames(subject(), at)).toMatchObject([{ text: 'before' }])
      expect(await subject().commitStep(commit)).toMatchObject({ outcome: 'applied' })
    },
  )

  test("a commit in the name of another thread's run is fenced and touches neither", async () => {
    const { at, tip } = await begun()
    const other = { ...at, thread: 'thread-2' }
    await begun(other, 'run-2')
    const { commit } = commitOf(tip, 0, ['x'], { run: 'run-2' })
    expect(await subject().commitStep(commit)).toMatchObject({ outcome: 'fenced' })
    expect(await frames(subject(), at)).toEqual([])
    expect(await subject().runs.get(other, 'run-2')).toMatchObject({ status: 'running', answer: null })
  })

  test('a run that was declared dead takes no commit from a worker that comes back late', async () => {
    const at = freshThread()
    const begin = request(at, 'run-1', { leaseMs: 10, maxAttempts: 1 })
    const tip = tipOf(begin, await claim(subject(), begin))
    await passing(25)
    expect(await subject().beginTurn(takeOver(at, 'sweep', { maxAttempts: 1 }))).toEqual({ outcome: 'nothing-due' })
    const late = await subject().commitStep(commitOf(tip, 0, ['late']).commit)
    expect(late).toEqual({ outcome: 'fenced', head: 0, status: 'dead' })
    expect(await frames(subject(), at)).toEqual([])
  })

  test('a worker that was taken over is fenced, and told what became of the run', async () => {
    const { at, tip } = await begun(freshThread(), 'run-1', 20)
    await passing(40)
    const begin = takeOver(at, 'adopter')
    await committed(subject(), tipOf(begin, await claim(subject(), begin)), 0, ['theirs'])
    const late = await subject().commitStep(commitOf(tip, 0, ['mine']).commit)
    expect(late).toEqual({ outcome: 'fenced', head: 1, status: 'success' })
    expect(await frames(subject(), at)).toMatchObject([{ text: 'theirs' }])
  })

  test('of two workers that commit the same step of the same run, the second is never told that it was its own', async () => {
    const { at, tip } = await begun(freshThread(), 'run-1', 20)
    const late = commitOf(tip, 0, ['mine'], { status: 'running' }).commit
    await passing(40)
    const begin = takeOver(at, 'adopter')
    const adopted = tipOf(begin, await claim(subject(), begin))
    await committed(subject(), adopted, 0, ['theirs'], { status: 'running' })
    expect(await subject().commitStep(late)).toMatchObject({ outcome: 'fenced' })
  })

  test('a lease that has run out takes nothing from a worker that nobody has replaced', async () => {
    const { tip } = await begun(freshThread(), 'run-1', 10)
    await passing(25)
    expect(await subject().commitStep(commitOf(tip, 0, ['d']).commit)).toMatchObject({ outcome: 'applied' })
  })

  test('a commit after the thread was deleted is fenced, also when it was made anew', async () => {
    const { at, tip } = await begun()
    const { commit } = commitOf(tip, 0, ['d'])
    await subject().threads.delete(at)
    expect(await subject().commitStep(commit)).toMatchObject({ outcome: 'fenced', head: 0 })
    await claim(subject(), request(at, 'run-2'))
    expect(await subject().commitStep(commit)).toMatchObject({ outcome: 'fenced', head: 0 })
    expect(await frames(subject(), at)).toEqual([])
  })

  test('a run that goes on keeps the thread, renews its lease and counts its attempts anew', async () => {
    const at = freshThread()
    await claim(subject(), request(at, 'run-1', { leaseMs: 20 }))
    await passing(40)
    const begin = takeOver(at, 'adopter', { leaseMs: 40 })
    const tip = tipOf(begin, await claim(subject(), begin))
    await committed(subject(), tip, 0, ['a'], { status: 'running' })
    await passing(60)
    expect(await subject().beginTurn(request(at, 'run-2'))).toMatchObject({ outcome: 'busy', run: 'run-1' })
    expect(await subject().runs.get(at, 'run-1')).toMatchObject({ attempts: 0, status: 'running' })
    expect(await subject().threads.get(at)).toMatchObject({ status: 'busy', head: 1 })
  })

  test('whoever takes over after a commit starts behind it, without the input', async () => {
    const { at, tip } = await begun()
    const { hash } = await committed(subject(), tip, 1, ['a', 'b'], { status: 'running', leaseMs: 20 })
    await passing(40)
    expect(await claim(subject(), takeOver(at, 'adopter'))).toMatchObject({
      ...{ input: null, step: 1, head: 2, hash, attempts: 1 },
    })
  })

  test('a failed run keeps its reason and what it committed; the thread says so until the next turn', async () => {
    const { at, tip } = await begun()
    const error = { code: 'node_failed', message: 'it "broke" \u0000 \ud83d' }
    await committed(subject(), tip, 1, ['input'], { status: 'error', error })
    expect(await subject().runs.get(at, 'run-1')).toMatchObject({ status: 'error', error, answer: 1 })
    expect(await subject().threads.get(at)).toMatchObject({ status: 'error', head: 1 })
    const again = await subject().beginTurn(request(at, 'run-1', { token: 'again' }))
    expect(again).toMatchObject({ outcome: 'ended', run: { error } })
    await turn(subject(), at, 'run-2', ['d'])
    expect(await subject().threads.get(at)).toMatchObject({ status: 'idle', head: 2 })
  })

  test('a cancelled run ends without a checkpoint and frees the thread', async () => {
    const { at, tip } = await begun()
    expect(await subject().commitStep(commitOf(tip, 1, [], { status: 'cancelled' }).commit)).toEqual({
      ...{ outcome: 'applied', head: 0, status: 'cancelled' },
    })
    expect(await subject().runs.get(at, 'run-1')).toMatchObject({ status: 'cancelled', error: null, answer: 0 })
    expect(await subject().threads.get(at)).toMatchObject({ status: 'idle', head: 0 })
    expect(await claim(subject(), request(at, 'run-2'))).toMatchObject({ run: 'run-2', lastSeq: 0 })
  })
}
