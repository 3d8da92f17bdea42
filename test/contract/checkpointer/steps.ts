// The contract of how a checkpoint came about: what its model calls saw, and what its superstep asked.
import { expect, test } from 'vitest'
import type { Question } from '../../../src/ports/approvals.ts'
import type { NewCheckpoint } from '../../../src/ports/chains.ts'
import type { StepCommit } from '../../../src/ports/checkpointer.ts'
import { claim, commitOf, freshThread, request, type Subject, type Tip, takeOver, tipOf } from './turn.ts'

export function steps(subject: Subject) {
  const question = (id: string, task = 0): Question => ({
    ...{ id, task, node: 'ask', key: `key of ${id}`, kind: 'colour', payload: '"shown"' },
    ...{ answerer: 'owner', approvers: null, notRequester: false, expiresInMs: null },
  })
  const commit = async (tip: Tip, step: number, deltas: readonly string[], change: Partial<StepCommit> = {}) => {
    const made = commitOf(tip, step, deltas, change)
    const { outcome, head } = await subject().commitStep(made.commit)
    expect(outcome).toBe('applied')
    return { claim: tip.claim, head, hash: made.hash }
  }
  const answer = async (at: ReturnType<typeof freshThread>, id: string) => {
    const who = { tenant: at.tenant, owner: null, by: 'ada', approver: true, via: 'api' }
    const given = { id, answer: '"red"', token: `token of ${id}`, webhook: false, run: null }
    expect(await subject().approvals.answer({ ...who, ...given })).toMatchObject({ outcome: 'accepted' })
  }
  const asked = async (at: ReturnType<typeof freshThread>, seq: number) =>
    (await subject().loadStep({ ...at, seq }))?.approvals.map(({ id, status }) => `${id} ${status}`)

  /** A run that has taken its input in and asks at checkpoint 1. */
  const waiting = async (at = freshThread(), run = 'run-1') => {
    const begin = request(at, run)
    await commit(tipOf(begin, await claim(subject(), begin)), 0, ['input'], {
      status: 'waiting',
      questions: [question(`${run}/a`), question(`${run}/b`, 1)],
    })
    return at
  }
  /** Its answers are there, and a worker has it again. */
  const taken = async (at: ReturnType<typeof freshThread>, run: string, token: string) => {
    for (const id of ['a', 'b']) await answer(at, `${run}/${id}`)
    const begin = takeOver(at, token)
    return tipOf(begin, await claim(subject(), begin))
  }

  test('what the model calls of a checkpoint saw is kept with it, whatever is in it, and given to the owner alone', async () => {
    const at = freshThread()
    const begin = request(at)
    const tip = tipOf(begin, await claim(subject(), begin))
    const { commit: plain } = commitOf(tip, 1, ['input', 'answer'])
    const [input, reply] = plain.checkpoints as [NewCheckpoint, NewCheckpoint]
    const seen = '{"id":"\\u0000 \\ud83d \'"}'
    await subject().commitStep({ ...plain, checkpoints: [input, { ...reply, seen }] })
    expect(await subject().loadStep({ ...at, seq: 1 })).toEqual({ seen: null, approvals: [] })
    expect(await subject().loadStep({ ...at, seq: 2 })).toEqual({ seen, approvals: [] })
    expect(await subject().loadStep({ ...at, owner: null, seq: 2 })).toMatchObject({ seen })
    for (const other of [{ owner: 'sam' }, { tenant: 'other' }, { thread: 'other' }, { seq: 3 }, { seq: 0 }]) {
      expect(await subject().loadStep({ ...at, seq: 2, ...other }), JSON.stringify(other)).toBeUndefined()
    }
  })

  test('it goes with a copy of the thread', async () => {
    const at = freshThread()
    const begin = request(at)
    const { commit: plain } = commitOf(tipOf(begin, await claim(subject(), begin)), 0, ['input'])
    await subject().commitStep({ ...plain, checkpoints: plain.checkpoints.map((one) => ({ ...one, seen: '{}' })) })
    await subject().threads.copy(at, 'copy')
    expect(await subject().loadStep({ ...at, thread: 'copy', seq: 1 })).toEqual({ seen: '{}', approvals: [] })
  })

  test('a superstep gives what it asked and was answered, and the one before and after it do not', async () => {
    const at = await waiting()
    const tip = await taken(at, 'run-1', 'later')
    const next = await commit(tip, 1, ['answered'], { status: 'running' })
    await commit(next, 2, ['end'])
    expect(await asked(at, 1)).toEqual([])
    expect(await asked(at, 2)).toEqual(['run-1/a answered', 'run-1/b answered'])
    expect(await asked(at, 3)).toEqual([])
    expect((await subject().loadStep({ ...at, seq: 2 }))?.approvals[0]).toMatchObject({
      answeredBy: 'ada',
      answer: '"red"',
    })
  })

  test('a run that goes on with what a failed one was answered gives that', async () => {
    const at = await waiting()
    const failing = await taken(at, 'run-1', 'later')
    await commit(failing, 1, [], { status: 'error', error: { code: 'node_failed', message: 'it broke' } })
    const begin = request(at, 'run-2')
    const on = { ...begin, run: begin.run && { ...begin.run, input: 'null' } }
    await commit(tipOf(on, await claim(subject(), on)), 1, ['answered'])
    expect(await asked(at, 2)).toEqual(['run-1/a answered', 'run-1/b answered'])
  })

  test('a branch gives nothing of what its sibling asked', async () => {
    const at = await waiting()
    await commit(await taken(at, 'run-1', 'later'), 1, ['answered'])
    const begin = request(at, 'run-2')
    const fork = { ...begin, run: begin.run && { ...begin.run, input: 'null', forkFrom: 1 } }
    await commit(tipOf(fork, await claim(subject(), fork)), 1, [], {
      status: 'waiting',
      questions: [question('run-2/a'), question('run-2/b', 1)],
    })
    await commit(await taken(at, 'run-2', 'again'), 1, ['other'])
    expect(await asked(at, 2)).toEqual(['run-1/a answered', 'run-1/b answered'])
    expect(await asked(at, 3)).toEqual(['run-2/a answered', 'run-2/b answered'])
  })

  test('what was withdrawn by a fork is not of it', async () => {
    const at = await waiting()
    const begin = request(at, 'run-2')
    const fork = { ...begin, run: begin.run && { ...begin.run, input: '"new"', forkFrom: 1 } }
    await commit(tipOf(fork, await claim(subject(), fork)), 1, ['input', 'answer'])
    expect([await asked(at, 2), await asked(at, 3)]).toEqual([[], []])
  })
}
