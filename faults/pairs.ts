// Pairs of faults: a run of two supersteps, broken once and then again at every call that follows, in every way.
import { postgresBinaries } from '../local/neon/throwaway-postgres.ts'
import { type Case, play } from './case.ts'
import { inLanes } from './lanes.ts'
import { crashes } from './mode.ts'
import type { Figures, PartOptions } from './part.ts'
import { scenarios } from './scenario.ts'
import { casesOf, counted, leaseMs, met, ways } from './single.ts'
import { memoryStorage, postgresStorage } from './storage.ts'
import type { Storage } from './world.ts'

/** While cases are looked for: on a busy machine a run takes other ways, and has more points to break. */
const lookingLanes = 50
const lanes = 100
const progressEvery = 500

export async function pairs({ say }: PartOptions): Promise<Figures> {
  const installed = postgresBinaries() !== undefined
  if (!installed) say('pairs runs in memory only: apt-get install postgresql')
  const { storage, close } = installed ? await postgresStorage(30) : memoryStorage()
  try {
    const cases = await pairsOf(storage)
    say(`pairs: ${cases.length} cases`)
    let done = 0
    const results = await inLanes(cases, lanes, async (each) => {
      const result = await met(storage, each)
      if (++done % progressEvery === 0) say(`pairs: ${done} of ${cases.length}`)
      return result
    })
    return { ...counted(results, (line) => say(`pairs: ${line}`)), on: installed ? 'Postgres' : 'memory' }
  } finally {
    await close()
  }
}

/** The second point is any call after the first fault, also one that only recovery makes: a resend, a retry, a take-over, a sweep. */
async function pairsOf(storage: () => Storage): Promise<Case[]> {
  const scenario = scenarios.find(({ name }) => name === 'two supersteps')
  if (scenario === undefined) throw new Error('There is no scenario of two supersteps.')
  const firsts = await casesOf(storage(), scenario)
  const followed = await inLanes(firsts, lookingLanes, async (first) => {
    const { trace } = await play(storage(), first, leaseMs)
    return recovery(trace, first).flatMap((second) =>
      ways(second, scenario)
        // Whether the client stays is one question; whoever calls in the second place has one answer to it.
        .filter(({ mode, returns }) => returns === first.returns || !crashes(mode))
        .map(({ mode }) => ({ ...first, plan: { ...first.plan, [second]: mode } })),
    )
  })
  return followed.flat()
}

/** From the first fault until the run is at its end: by the client's last call, or, where it is gone, by the next client's. */
function recovery(trace: readonly string[], { plan, returns }: Case): readonly string[] {
  const [point = ''] = Object.keys(plan)
  const start = trace.indexOf(point)
  const end = Math.max(
    start,
    trace.findLastIndex((call) => call.startsWith(returns ? 'a:postgres.' : 'next:postgres.')),
  )
  const during = trace.slice(start + 1, end + 1).filter((call) => !isRepeated(call))
  // What the client's worker does after its answer comes late, beside the next turn.
  return [...during, ...trace.slice(end + 1).filter((call) => call.startsWith('a:'))]
}

/** A sweep that finds nothing, and a renewal, are like the ones before. */
function isRepeated(call: string): boolean {
  return (
    !call.endsWith('@1') && /:postgres\.(renewLease|orphans|giveUpRuns|outbox|threads|approvals|webhooks)/.test(call)
  )
}
