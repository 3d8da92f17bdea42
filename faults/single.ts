// Single faults: every call of every scenario, broken in every way, one at a time.
import { postgresBinaries } from '../local/neon/throwaway-postgres.ts'
import { type Case, play, type Result } from './case.ts'
import type { Problem } from './checker.ts'
import { inLanes } from './lanes.ts'
import { crashes, hidden, lasts, type Mode, modes } from './mode.ts'
import type { Figures, PartOptions } from './part.ts'
import { handOver, slow } from './plays.ts'
import { type Scenario, scenarios } from './scenario.ts'
import { memoryStorage, postgresStorage } from './storage.ts'
import type { Storage } from './world.ts'

export const leaseMs = 1_000
export const lanes = 100
/** A race between two requests may pass a point by. */
const mostTries = 4

/** In memory, and on Postgres where there is one; both at once, since most of the time is waiting. */
export async function single({ say }: PartOptions): Promise<Figures> {
  const memory = memoryStorage()
  if (postgresBinaries() === undefined) say('single runs in memory only: apt-get install postgresql')
  const postgres = postgresBinaries() === undefined ? undefined : await postgresStorage()
  try {
    // Measured first, and with nothing beside it: on a busy machine a run takes other ways.
    const places = [memory, ...(postgres ? [postgres] : [])]
    const cases = await inLanes(places, 1, ({ storage }) => inLanes(scenarios, 2, (each) => casesOf(storage(), each)))
    const [inMemory, onPostgres] = await inLanes(places, 2, async ({ storage }, index) => {
      const results = await inLanes(cases[index]?.flat() ?? [], lanes, async (each) =>
        noticed(await met(storage, each)),
      )
      return counted(results, (line) => say(`single ${index === 0 ? 'in memory' : 'on Postgres'}: ${line}`))
    })
    return onPostgres ? { ...onPostgres, on: 'Postgres', memory: inMemory } : { ...inMemory, on: 'memory' }
  } finally {
    await postgres?.close()
  }
}

/** A run with nothing wrong is measured first: it says which points there are. */
export async function casesOf(storage: Storage, scenario: Scenario): Promise<Case[]> {
  const { problems, trace } = await play(storage, { scenario, plan: {}, returns: true }, leaseMs)
  if (problems[0] !== undefined) throw new Error(`"${scenario.name}" goes wrong by itself: ${problems[0].what}`)
  // Of renewals it depends on the machine whether there are any; where one is meant to be, the scenario is slow.
  const points = trace.filter((point) => ours.test(point) && (scenario.play === slow || !point.includes('renewLease')))
  return points.flatMap((point) =>
    ways(point, scenario).map(({ mode, returns }) => ({ scenario, plan: { [point]: mode }, returns })),
  )
}

const ours = /^(a|b|read|cancel):/

export interface Way {
  readonly mode: Mode
  readonly returns: boolean
}

/** The ways in which a point can be broken. After a crash its client comes back, or does not. */
export function ways(point: string, { goesOn = false }: Scenario): Way[] {
  // Where the shop stays away, the run fails for good.
  const fitting = modes.filter((mode) => goesOn || !point.includes(':shop.') || !lasts(mode))
  return fitting.flatMap((mode) => (crashes(mode) ? [true, false] : [true]).map((returns) => ({ mode, returns })))
}

export interface Tried {
  readonly tried: Case
  readonly result: Result
  /** Every fault of the plan was met, and nothing else. */
  readonly reached: boolean
  /** Long enough for somebody else to take over, or for a caller to lose patience. */
  readonly stoodStill: boolean
}

/** Tries again while the plan's points are passed by, or the machine stands still in the midst of it. */
export async function met(storage: () => Storage, tried: Case, lease = leaseMs): Promise<Tried> {
  for (let tries = 1; ; tries++) {
    const result = await play(storage(), tried, lease)
    // It is renewed every third of it.
    const stoodStill = result.longestStandMs > lease / 2
    const reached = result.met.length === Object.keys(tried.plan).length && !stoodStill
    if (reached || result.problems.length > 0 || tries === mostTries) return { tried, result, reached, stoodStill }
  }
}

/** T8: what the runtime makes good by itself, nobody is told of: one try, and no waiting in line for oneself. */
export function noticed(tried: Tried): Tried {
  if (tried.stoodStill) return tried
  const [fault] = Object.entries(tried.tried.plan)
  const { scenario } = tried.tried
  if (fault === undefined || !/^[ab]:(postgres|redis|log)\./.test(fault[0]) || !hidden(fault[1]) || scenario.pushing)
    return tried
  const tries = scenario.play === handOver ? 2 : 1
  const problems: Problem[] = tried.result.told.flatMap(({ request, streams, answeredAt }) => {
    // Of somebody else's run a reader may be told twice.
    if (answeredAt === Number.POSITIVE_INFINITY) return []
    const waited =
      request === 'a' && tries === 1 && streams.some((events) => events.some(({ type }) => type === 'run-queued'))
    return streams.length > tries || waited
      ? [{ kind: 'noticed', what: `${request} was asked ${streams.length} times${waited ? ', and waited' : ''}` }]
      : []
  })
  return { ...tried, result: { ...tried.result, problems: [...tried.result.problems, ...problems] } }
}

/** `cases` are those that met their faults. */
export function counted(results: readonly Tried[], say: PartOptions['say']) {
  const wrong = results.filter(({ result }) => result.problems.length > 0)
  for (const { tried, result } of wrong.slice(0, 20)) {
    const plan = Object.entries(tried.plan).map((fault) => fault.join(' '))
    const what = result.problems.map((problem) => `${problem.kind}: ${problem.what}`)
    say(
      `WRONG in "${tried.scenario.name}" after ${plan.join(', ')}${tried.returns ? '' : ', client gone'}: ${what.join('; ')}`,
    )
  }
  const cases = results.filter(({ reached, result }) => reached || result.problems.length > 0).length
  return { cases, wrong: wrong.length, notReached: results.length - cases }
}
