// A run that asks and is answered, broken at every call between the answer and the end, in every way.
import { postgresBinaries } from '../local/neon/throwaway-postgres.ts'
import { answers, approvedTool, runsOnce } from './approved.ts'
import { inLanes } from './lanes.ts'
import type { Figures, PartOptions } from './part.ts'
import type { Scenario } from './scenario.ts'
import { casesOf, counted, met, noticed } from './single.ts'
import { memoryStorage, postgresStorage } from './storage.ts'

/** Fewer, and longer leases, than of single runs: a worker that is only slow must not be taken for one that is gone. */
const lanes = 40
const leaseMs = 3_000

const plain = { program: approvedTool(false), check: runsOnce(false) }
const kept = { program: approvedTool(true), check: runsOnce(true) }

export const approvalScenarios: readonly Scenario[] = [
  { name: 'a tool is approved', ...plain, play: answers(['a'], 'code') },
  {
    name: 'a tool is approved, on a cached thread',
    ...plain,
    cached: true,
    before: ['x'],
    play: answers(['a'], 'code'),
  },
  { name: 'a tool that keeps what it does is approved', ...kept, play: answers(['a'], 'code') },
  { name: 'a tool is approved over HTTP', ...kept, recorded: true, play: answers(['a'], 'http') },
  { name: 'two approve a tool at once', ...kept, play: answers(['a', 'b'], 'code') },
  {
    name: 'a person answers in the tool’s place',
    program: approvedTool(false, true),
    check: runsOnce(false, 0),
    play: answers(['a'], 'code', 'respond'),
  },
]

/** In memory, and on Postgres where there is one. `wrong`: an answer lost, or a tool that ran without one, or twice. */
export async function approvals({ say }: PartOptions): Promise<Figures> {
  const memory = await broken(memoryStorage(), (line) => say(`approvals in memory: ${line}`))
  if (postgresBinaries() === undefined) {
    say('approvals are broken in memory only: apt-get install postgresql')
    return { ...memory, on: 'memory' }
  }
  const postgres = await postgresStorage()
  try {
    return { ...(await broken(postgres, (line) => say(`approvals on Postgres: ${line}`))), on: 'Postgres', memory }
  } finally {
    await postgres.close()
  }
}

async function broken({ storage }: ReturnType<typeof memoryStorage>, say: PartOptions['say']) {
  const cases = await inLanes(approvalScenarios, 2, (scenario) => casesOf(storage(), scenario))
  const results = await inLanes(cases.flat(), lanes, async (each) => noticed(await met(storage, each, leaseMs)))
  const problems = results.flatMap(({ result }) => result.problems)
  const count = (...kinds: string[]) => problems.filter(({ kind }) => kinds.includes(kind)).length
  return { ...counted(results, say), lostAnswers: count('lost', 'unanswered'), unapproved: count('unapproved') }
}
