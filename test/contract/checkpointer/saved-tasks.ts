// What tasks have given before their superstep is committed: for whoever goes on with that superstep, and for nobody else (T5, T6).
import { expect, test } from 'vitest'
import type { SavedTask } from '../../../src/ports/checkpointer.ts'
import {
  asking,
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

const part = (task: number, key: string, value = `"value of ${task}/${key}"`): SavedTask => ({ task, key, value })
const sorted = (saved: readonly SavedTask[]) =>
  saved.toSorted((a, b) => (`${a.task}/${a.key}` < `${b.task}/${b.key}` ? -1 : 1))
/** A run that goes on where the thread stopped. */
const onward = (run: string) => ({ run, key: run, bodyHash: run, input: 'null', strategy: 'reject' }) as const

/** The end of a run whose first superstep failed: the input, at step 0, is all that was committed. */
const failed = { step: 1, status: 'error', error: { code: 'node_failed', message: 'No.' } } as const

export function savedTasks(subject: Subject) {
  test('what a task gave is there for whoever takes the run over, and gone once the superstep is committed', async () => {
    const at = freshThread()
    const begin = request(at, 'run-1', { leaseMs: 20 })
    const { claim: held } = tipOf(begin, await claim(subject(), begin))
    expect(await subject().saveTask(held, part(1, 'a'))).toBe('"value of 1/a"')
    expect(await subject().saveTask(held, part(0, 'a'))).toBe('"value of 0/a"')
    await passing(40)
    const taking = takeOver(at, 'adopter')
    const taken = await claim(subject(), taking)
    expect(sorted(taken.saved)).toEqual([part(0, 'a'), part(1, 'a')])
    expect(taken.superstep).toEqual({ run: 'run-1', step: 1 })
    const tip = await committed(subject(), tipOf(taking, taken), 1, ['input', 'step 1'], { status: 'running' })
    expect(await subject().saveTask(tip.claim, part(0, 'b'))).toBe('"value of 0/b"')
    await subject().releaseTurn(tip.claim, [part(2, '')])
    const again = await claim(subject(), takeOver(at, 'another'))
    expect(again.superstep).toEqual({ run: 'run-1', step: 2 })
    expect(sorted(again.saved)).toEqual([part(0, 'b'), part(2, '')])
  })

  test('the first value under a key is the value: sent again, or by another attempt, it is answered with that', async () => {
    const at = freshThread()
    const begin = request(at)
    const { claim: held } = tipOf(begin, await claim(subject(), begin))
    const values = await Promise.all(
      ['"1"', '"2"', '"3"'].map((value) => subject().saveTask(held, part(0, 'k', value))),
    )
    expect(new Set(values).size).toBe(1)
    expect(await subject().saveTask(held, part(0, 'k', '"4"'))).toBe(values[0])
  })

  test('whoever has lost the claim keeps nothing', async () => {
    const at = freshThread()
    const begin = request(at, 'run-1', { leaseMs: 10 })
    const { claim: lost } = tipOf(begin, await claim(subject(), begin))
    for (const wrong of [{ token: 'x' }, { epoch: 7 }, { run: 'x' }, { thread: 'x' }, { tenant: 'x' }]) {
      expect(await subject().saveTask({ ...lost, ...wrong }, part(0, 'a'))).toBeUndefined()
    }
    await passing(20)
    const taken = await claim(subject(), takeOver(at, 'adopter'))
    expect(await subject().saveTask(lost, part(0, 'a'))).toBeUndefined()
    expect(taken.saved).toEqual([])
  })

  test('T5 what a failed superstep had finished is found by a run that goes on from there, under the same name', async () => {
    const at = freshThread()
    const begin = request(at)
    const tip = tipOf(begin, await claim(subject(), begin))
    await subject().saveTask(tip.claim, part(1, 'half'))
    await committed(subject(), tip, 0, ['input'], { ...failed, saved: [part(0, ''), part(2, '')] })
    const next = request(at, 'run-2', { run: onward('run-2') })
    const claimed = await claim(subject(), next)
    expect(claimed).toMatchObject({ run: 'run-2', step: 0, superstep: { run: 'run-1', step: 1 } })
    expect(sorted(claimed.saved)).toEqual([part(0, ''), part(1, 'half'), part(2, '')])

    // It fails too, and further on: the third finds all of it.
    const more = { ...failed, saved: [part(0, ''), part(2, ''), part(3, '')] }
    await committed(subject(), tipOf(next, claimed), 1, [], more)
    const third = request(at, 'run-3', { run: onward('run-3') })
    const last = await claim(subject(), third)
    expect(sorted(last.saved)).toEqual([part(0, ''), part(1, 'half'), part(2, ''), part(3, '')])
    await committed(subject(), tipOf(third, last), 1, ['step 1'])
    expect(await claim(subject(), request(at, 'run-4', { run: onward('run-4') }))).toMatchObject({ saved: [] })
  })

  test('a run with new input begins anew, and what was left is dropped with its first commit', async () => {
    const at = freshThread()
    const begin = request(at)
    const tip = tipOf(begin, await claim(subject(), begin))
    await committed(subject(), tip, 0, ['input'], { ...failed, saved: [part(0, '')] })
    const fresh = request(at, 'run-2')
    const claimed = await claim(subject(), fresh)
    expect(claimed).toMatchObject({ superstep: { run: 'run-2', step: 1 }, saved: [] })
    await committed(subject(), tipOf(fresh, claimed), 0, ['input'], failed)
    const { saved } = await claim(subject(), request(at, 'run-3', { run: onward('run-3') }))
    expect(saved).toEqual([])
  })

  test('a cancelled run leaves nothing to go on with, nor does a thread that is deleted', async () => {
    const at = freshThread()
    const begin = request(at)
    const tip = tipOf(begin, await claim(subject(), begin))
    await subject().saveTask(tip.claim, part(0, 'a'))
    await committed(subject(), tip, 0, ['input'], { step: 1, status: 'cancelled' })
    const next = request(at, 'run-2', { run: onward('run-2') })
    const claimed = await claim(subject(), next)
    expect(claimed.saved).toEqual([])
    await subject().saveTask(tipOf(next, claimed).claim, part(0, 'a'))
    await subject().threads.delete(at)
    await turn(subject(), at, 'run-1', ['input'])
    expect(await claim(subject(), request(at, 'run-2', { run: onward('run-2') }))).toMatchObject({ saved: [] })
  })

  test('a run that interrupts another begins with its own superstep', async () => {
    const at = freshThread()
    const begin = request(at)
    const { claim: held } = tipOf(begin, await claim(subject(), begin))
    await subject().saveTask(held, part(0, 'a'))
    const claimed = await claim(subject(), asking(at, 'run-2', 'interrupt'))
    expect(claimed).toMatchObject({ superstep: { run: 'run-2', step: 1 }, saved: [] })
  })

  test('a commit that is sent twice saves once', async () => {
    const at = freshThread()
    const begin = request(at)
    const tip = tipOf(begin, await claim(subject(), begin))
    const { commit } = commitOf(tip, 0, ['input'], { ...failed, saved: [part(0, '')] })
    expect(await subject().commitStep(commit)).toMatchObject({ outcome: 'applied' })
    expect(await subject().commitStep(commit)).toMatchObject({ outcome: 'already' })
    const { saved } = await claim(subject(), request(at, 'run-2', { run: onward('run-2') }))
    expect(saved).toEqual([part(0, '')])
  })
}
