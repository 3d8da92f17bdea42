// Turns that run in this isolate: heard from the beginning by whoever comes, stopped by whoever may, forgotten at the end.
import { expect, test } from 'vitest'
import { RunningTurns } from '../../src/http/running-turns.ts'
import { RecollectError, type RunEvent } from '../../src/index.ts'
import type { Emit } from '../../src/runtime/events.ts'

const address = { tenant: 'acme', thread: 't', user: 'alex' }
const started = {
  type: 'run-started',
  run: 'r1',
  thread: 't',
  epoch: 1,
  step: 0,
  seq: 0,
  storageMs: 0,
  speculation: 'none',
} as const
const finished = { type: 'run-finished', run: 'r1', seq: 2, values: {} } as const
const delta = (text: string): RunEvent => ({ type: 'text-delta', messageId: 'm', step: 1, node: 'n', text })

/** A turn whose work the test does by hand. */
function turnByHand(turns = new RunningTurns()) {
  const done = Promise.withResolvers<string>()
  const hand: { emit: Emit; signal: AbortSignal } = { emit: () => {}, signal: new AbortController().signal }
  const begun = turns.begin(address, (emit, signal) => {
    Object.assign(hand, { emit, signal })
    return done.promise
  })
  return { turns, ...begun, done, hand }
}

async function typesOf(events: AsyncIterable<RunEvent>): Promise<string[]> {
  const types: string[] = []
  for await (const { type } of events) types.push(type)
  return types
}

test('readers who come early, late and after the end hear the same', async () => {
  const { turn, hand, done, result } = turnByHand()
  const early = typesOf(turn.events())
  hand.emit(started)
  hand.emit(delta('a'))
  const late = typesOf(turn.events())
  hand.emit(delta('b'))
  hand.emit(finished)
  const after = typesOf(turn.events())
  const whole = ['run-started', 'text-delta', 'text-delta', 'run-finished']
  expect(await Promise.all([early, late, after])).toEqual([whole, whole, whole])
  done.resolve('answer')
  expect(await result).toBe('answer')
})

test('a turn is found while it holds the thread: not before its first event, not after its last', async () => {
  const { turns, turn, hand, done } = turnByHand()
  expect(turns.find(address)).toBeUndefined()
  hand.emit(started)
  expect(turns.find(address)).toBe(turn)
  expect(turns.find({ ...address, user: null })).toBe(turn)
  hand.emit(finished)
  expect(turns.find(address)).toBeUndefined()
  done.resolve('')
})

test('nobody else finds or stops it: not another user, tenant or thread', () => {
  const { turns, hand } = turnByHand()
  hand.emit(started)
  const others = [{ user: 'eve' }, { tenant: 'other' }, { thread: 'u' }].map((change) => ({ ...address, ...change }))
  for (const other of others) {
    expect(turns.find(other)).toBeUndefined()
    expect(turns.stop(other)).toEqual([])
  }
  expect(hand.signal.aborted).toBe(false)
})

test('a turn that was refused says nothing, and its result throws what refused it', async () => {
  const { turns, turn, done, result } = turnByHand()
  const speaks = turn.speaks()
  done.reject(new RecollectError('thread_busy', 'Busy.'))
  expect(await speaks).toBe(false)
  await expect(result).rejects.toMatchObject({ code: 'thread_busy' })
  expect(turns.find(address)).toBeUndefined()
})

test('a refused turn leaves the one that holds the thread alone', async () => {
  const { turns, turn, hand } = turnByHand()
  hand.emit(started)
  const second = turnByHand(turns)
  second.done.reject(new RecollectError('thread_busy', 'Busy.'))
  await expect(second.result).rejects.toThrow('Busy.')
  expect(turns.find(address)).toBe(turn)
})

test('a turn that breaks off without a last event throws at its readers', async () => {
  const { turn, hand, done, result } = turnByHand()
  hand.emit(started)
  const heard = typesOf(turn.events())
  done.reject(new Error('gone'))
  await expect(heard).rejects.toThrow('gone')
  await expect(result).rejects.toThrow('gone')
})

test('stopping aborts the work and is done when the turn has ended', async () => {
  const { turns, hand } = turnByHand()
  hand.emit(started)
  const stopping = Promise.all(turns.stop(address))
  let stopped = false
  stopping.then(() => {
    stopped = true
  })
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect({ aborted: hand.signal.aborted, stopped }).toEqual({ aborted: true, stopped: false })
  hand.emit({ type: 'run-failed', run: 'r1', error: new RecollectError('run_cancelled', 'Stopped.') })
  await stopping
  expect(stopped).toBe(true)
})

test('a turn can be stopped while it still waits for its thread', async () => {
  const { turns, hand, done } = turnByHand()
  const stopping = turns.stop(address)
  expect(stopping).toHaveLength(1)
  await Promise.resolve()
  expect(hand.signal.aborted).toBe(true)
  done.resolve('')
  await Promise.all(stopping)
})

test('beyond 8 MiB the beginning is let go: no replay, and a reader who kept up misses nothing', async () => {
  const { turn, hand, done } = turnByHand()
  hand.emit(started)
  const reader = turn.events()
  await reader.next()
  const slow = turn.events()
  await slow.next()
  const megabyte = 'x'.repeat(1024 * 1024)
  for (let count = 0; count < 12; count++) {
    hand.emit(delta(megabyte))
    expect((await reader.next()).value).toMatchObject({ type: 'text-delta' })
  }
  expect(turn.replayable).toBe(false)
  await expect(turn.events().next()).rejects.toMatchObject({ code: 'feature_unsupported' })
  await expect(slow.next()).rejects.toMatchObject({ code: 'feature_unsupported' })
  hand.emit(finished)
  expect((await reader.next()).value).toMatchObject({ type: 'run-finished' })
  done.resolve('')
})
