// A superstep without effects begins while the commit before it is under way: it is told, and writes, only when that is there.
import { expect, test, vi } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { append, type Context, type RunEvent, StateGraph } from '../../src/index.ts'
import type { StepCommit, StepOutcome } from '../../src/ports/checkpointer.ts'
import { altered, at, deferred } from './doubles.ts'

type Second = (state: unknown, context: Context) => unknown

/** Two nodes in a row, and the commit of the first held back until it is answered. */
function held(second: Second, { pure = true } = {}) {
  const inner = memoryCheckpointer()
  const gate = deferred<'commit' | 'fenced'>()
  const commitStep = vi.fn(async (commit: StepCommit): Promise<StepOutcome> => {
    if (commitStep.mock.calls.length > 1) return inner.commitStep(commit)
    return (await gate.promise) === 'commit'
      ? inner.commitStep(commit)
      : { outcome: 'fenced', status: 'running', head: 0 }
  })
  const saveTask = vi.fn(inner.saveTask.bind(inner))
  const ran = vi.fn(second)
  const graph = new StateGraph({
    state: { log: append<string>() },
    nodes: {
      first: () => ({ log: ['first'] }),
      second: {
        pure,
        run: async (state, context) => {
          await ran(state, context)
          return { log: ['second'] }
        },
      },
    },
    edges: { start: 'first', first: 'second' },
  })
  const app = graph.compile({ checkpointer: altered(inner, { commitStep, saveTask }) })
  const events: RunEvent[] = []
  const run = app.invoke({}, { ...at, emit: (event) => events.push(event) })
  run.catch(() => {})
  return { run, ran, saveTask, commitStep, inner, answer: gate.resolve, types: () => events.map(({ type }) => type) }
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 20))
const say: Second = (_, { emit }) => emit('said', {})

test('it has begun, and nothing of it is told, before the commit is there', async () => {
  const { run, ran, answer, types } = held(say)
  await soon()
  expect(ran).toHaveBeenCalledTimes(1)
  expect(types()).toEqual(['run-started'])
  answer('commit')
  expect((await run).log).toEqual(['first', 'second'])
  expect(ran).toHaveBeenCalledTimes(1)
  const saved = ['checkpoint-saved', 'checkpoint-saved']
  expect(types()).toEqual(['run-started', ...saved, 'custom-emitted', 'checkpoint-saved', 'run-finished'])
})

test('one with effects begins when the commit is there', async () => {
  const { run, ran, answer } = held(say, { pure: false })
  await soon()
  expect(ran).not.toHaveBeenCalled()
  answer('commit')
  expect((await run).log).toEqual(['first', 'second'])
})

test('when the commit is refused it is aborted, and nothing of it was told or committed', async () => {
  const aborted = vi.fn()
  const { run, ran, answer, types, commitStep } = held((_, { signal, emit }) => {
    emit('said', {})
    signal.addEventListener('abort', aborted)
    return new Promise(() => {})
  })
  await soon()
  expect(ran).toHaveBeenCalledTimes(1)
  answer('fenced')
  await expect(run).rejects.toMatchObject({ code: 'run_fenced' })
  expect(aborted).toHaveBeenCalledTimes(1)
  expect(types()).toEqual(['run-started', 'run-failed'])
  expect(commitStep).toHaveBeenCalledTimes(1)
})

test('a part of it is saved behind the commit, which drops the parts of the superstep before', async () => {
  const { run, answer, saveTask } = held(async (_, { task }) => {
    await task('part', () => 'made')
  })
  await soon()
  expect(saveTask).not.toHaveBeenCalled()
  answer('commit')
  await run
  expect(saveTask).toHaveBeenCalledTimes(1)
})

test('when it fails while the commit is under way, the run fails after it, and keeps the first', async () => {
  const { run, answer, inner } = held(() => Promise.reject(new Error('broken')))
  await soon()
  answer('commit')
  await expect(run).rejects.toMatchObject({ code: 'node_failed' })
  const thread = await inner.threads.get({ ...at, owner: at.user })
  expect(thread?.status).toBe('error')
  const chain = await inner.loadChain({ ...at, owner: at.user, seq: null, count: 10 })
  expect(chain?.frames.map(({ step }) => step)).toEqual([0, 1])
})
