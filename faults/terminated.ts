// Every connection to Postgres ended from its side, again and again, under load.
import type { Pool } from 'pg'
import { swept } from './case.ts'
import { type Problem, problemsOf, type Told } from './checker.ts'
import { insist } from './client.ts'
import { inLanes } from './lanes.ts'
import { pause } from './mode.ts'
import type { Figures, PartOptions } from './part.ts'
import { blockOf, twoSteps } from './program.ts'
import { realServices } from './services.ts'
import { storedOf } from './stored.ts'
import { World } from './world.ts'

const seconds = 60
const everyMs = 5_000
const threads = 40
const leaseMs = 5_000
const tenant = 'terminated'

export async function terminated({ say }: PartOptions): Promise<Figures> {
  const { storage, pool, close } = await realServices()
  const options = { storage, program: twoSteps, tenant, cached: true, recorded: false, leaseMs }
  const world = new World({ ...options, fault: () => undefined })
  try {
    const untilMs = performance.now() + seconds * 1_000
    const names = Array.from({ length: threads }, (_, index) => `t${index}`)
    const [told, backends] = await Promise.all([
      inLanes(names, threads, (thread) => talk(world, thread, untilMs)),
      terminate(pool, untilMs),
    ])
    await world.settle()
    await swept(world, names)
    const checked = await inLanes(names, 10, (thread, index) => problemsIn(world, thread, told[index] ?? []))
    return figuresOf(told.flat(), checked.flat(), backends, say)
  } finally {
    world.bury()
    await close()
  }
}

/** One turn after the other. */
async function talk(world: World, thread: string, untilMs: number): Promise<Told[]> {
  const told: Told[] = []
  while (performance.now() < untilMs) {
    const name = `${thread}-${told.length}`
    told.push(await insist(world, { name, thread, strategy: 'enqueue', returns: true }))
  }
  return told
}

/** Gives how many connections it has ended. */
async function terminate(pool: Pool, untilMs: number): Promise<number> {
  let ended = 0
  for (;;) {
    await pause(everyMs)
    if (performance.now() > untilMs) return ended
    const { rowCount } = await pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where backend_type = 'client backend' and application_name <> 'harness'`,
    )
    ended += rowCount ?? 0
  }
}

async function problemsIn(world: World, thread: string, told: readonly Told[]): Promise<Problem[]> {
  return problemsOf({
    ...{
      told,
      stored: await storedOf(world, thread),
      calls: world.calls.filter(({ of }) => of.startsWith(`${thread}-`)),
    },
    ...{ delivered: [], sends: false, pushing: false },
    block: (request) => blockOf(twoSteps, request),
  })
}

function figuresOf(
  told: readonly Told[],
  problems: readonly Problem[],
  backends: number,
  say: PartOptions['say'],
): Figures {
  for (const { kind, what } of problems.slice(0, 10)) say(`terminated: ${kind}: ${what}`)
  const of = (kind: Problem['kind']) => problems.filter((each) => each.kind === kind).length
  const accepted = told.filter(({ outcome }) => outcome === 'accepted').length
  const [lost, duplicated] = [of('lost'), of('duplicated')]
  return { seconds, backends, accepted, lost, duplicated, wrong: problems.length - lost - duplicated }
}
