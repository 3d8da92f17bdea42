// One case: a scenario played on a thread of its own with the faults of a plan, then swept, gone on with, and checked.
import { type Problem, problemsOf, type Told } from './checker.ts'
import { insist } from './client.ts'
import { inLanes } from './lanes.ts'
import { type Mode, pause } from './mode.ts'
import { thread } from './plays.ts'
import { blockOf } from './program.ts'
import type { Scenario } from './scenario.ts'
import { placeOf, storedOf } from './stored.ts'
import { type Storage, World } from './world.ts'

/** Point (`who:port.method@count`) → what goes wrong there. */
export type Plan = Readonly<Record<string, Mode>>

export interface Case {
  readonly scenario: Scenario
  readonly plan: Plan
  /** Whether a client whose worker is gone comes back. */
  readonly returns: boolean
}

export interface Result {
  readonly problems: readonly Problem[]
  readonly told: readonly Told[]
  /** Every call, in order. */
  readonly trace: readonly string[]
  /** Those that met their fault. */
  readonly met: readonly string[]
  /** The longest that this process, or storage, stood still. */
  readonly longestStandMs: number
}

const sweepWithinMs = 20_000
const sweepEveryMs = 200
const mostDeliveries = 8
let cases = 0

export async function play(storage: Storage, { scenario, plan, returns }: Case, leaseMs: number): Promise<Result> {
  const world = worldOf(storage, scenario, plan, leaseMs)
  const turn = (name: string) => insist(world, { name, thread, strategy: 'reject', returns: true })
  try {
    const told: Told[] = []
    for (const name of scenario.before ?? []) told.push(await turn(name))
    await world.settle()
    const playing = scenario.play(world, returns)
    await Promise.all([playing.then((each) => told.push(...each)), cron(world, playing)])
    told.push(await turn('next'))
    await world.landRest()
    await swept(world, [thread])
    told.push(await turn('last'))
    await world.settle()
    const { program, pushing = false } = scenario
    const sends = program.sends ?? false
    if (sends) await delivered(world, told)
    const problems = problemsOf({
      ...{
        told,
        stored: await storedOf(world, thread),
        calls: world.calls,
        delivered: world.delivered,
        sends,
        pushing,
      },
      block: (request) => blockOf(program, request),
    })
    const more = scenario.check?.(world) ?? []
    const { trace, met, longestStandMs } = world
    return { problems: [...problems, ...more], told, trace, met, longestStandMs }
  } finally {
    world.bury()
  }
}

function worldOf(storage: Storage, scenario: Scenario, plan: Plan, leaseMs: number): World {
  const { program, cached = false, recorded = false, options = {} } = scenario
  const tenant = `case-${process.pid}-${++cases}`
  const fault = (point: string, count: number) => plan[`${point}@${count}`]
  return new World({ storage, program, options, tenant, cached, recorded, leaseMs, fault })
}

/** As long as the scenario goes on, once a worker may be down: whoever stands still is taken over by somebody. */
async function cron(world: World, playing: Promise<unknown>): Promise<void> {
  let over = false
  const end = () => {
    over = true
  }
  playing.then(end, end)
  while (!over) {
    await Promise.race([playing, pause(sweepEveryMs)]).catch(() => {})
    if (!over && world.down) await sweepOnce(world)
  }
}

async function sweepOnce(world: World): Promise<void> {
  const worker = world.worker('sweep')
  await worker.attempt(() => worker.sweep())
}

/** Sweeps until nothing is due in these threads, as the cron would, but not only once a minute. */
export async function swept(world: World, threads: readonly string[], withinMs = sweepWithinMs): Promise<void> {
  const until = performance.now() + withinMs
  const isDue = async (thread: string) => {
    const runs = await world.checkpointer.runs.list(placeOf(world, thread), { limit: 1_000, offset: 0 })
    return runs.some(({ status }) => status === 'queued' || status === 'running')
  }
  let due = threads
  while (due.length > 0 && performance.now() < until) {
    await sweepOnce(world)
    const answers = await inLanes(due, 10, isDue)
    due = due.filter((_, index) => answers[index])
    if (due.length > 0) await pause(sweepEveryMs)
  }
}

/** Lets the time pass that a message waits for its next attempt, until everyone's was delivered. */
async function delivered(world: World, told: readonly Told[]): Promise<void> {
  const missing = () => told.filter(({ request }) => !world.delivered.some(({ of }) => of === request))
  for (let tries = 1; missing().length > 0 && tries <= mostDeliveries; tries++) {
    await world.storage.hasten(world.tenant)
    await sweepOnce(world)
  }
}
