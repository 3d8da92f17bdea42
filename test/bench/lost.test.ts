// How the peers bench counts turns that were acknowledged and are not there.
import { expect, test } from 'vitest'
import type { Contestant } from '../../bench/peers/contestant.ts'
import { lostTurns } from '../../bench/peers/lost.ts'

const untouched = { statements: 0, bytes: 0, sentBytes: 0, receivedBytes: 0 }
const crowd = { threads: 3, atOnce: 2 }

/** `keep` decides what becomes of a turn, given how many were begun on its thread before it. */
function contestant(keep: (before: number) => 'kept' | 'dropped' | 'refused'): Contestant {
  const threads = new Map<string, { texts: string[]; begun: number }>()
  const threadOf = (id: string) => threads.get(id) ?? expect.unreachable()
  return {
    async grow() {
      const id = `thread-${threads.size}`
      threads.set(id, { texts: ['an earlier turn'], begun: 0 })
      return id
    },
    async turn(_graph, id, text) {
      const thread = threadOf(id)
      const fate = keep(thread.begun++)
      if (fate === 'refused') throw new Error('busy')
      // What is done after the answer counts as well, when the thread is read in the end.
      const afterwards = Promise.resolve().then(() => fate === 'kept' && thread.texts.push(text))
      return { afterwards }
    },
    read: async (_graph, id) => threadOf(id).texts,
    taken: () => untouched,
  }
}

test('nothing is lost where every message is in its thread in the end', async () => {
  expect(
    await lostTurns(
      contestant(() => 'kept'),
      crowd,
    ),
  ).toEqual({ acknowledged: 6, lost: 0 })
})

test('a turn that was acknowledged and is not there is lost', async () => {
  const latestWins = contestant((before) => (before === 0 ? 'dropped' : 'kept'))
  expect(await lostTurns(latestWins, crowd)).toEqual({ acknowledged: 6, lost: 3 })
})

test('a turn that was refused is not lost', async () => {
  const oneAtATime = contestant((before) => (before === 0 ? 'kept' : 'refused'))
  expect(await lostTurns(oneAtATime, crowd)).toEqual({ acknowledged: 3, lost: 0 })
})
