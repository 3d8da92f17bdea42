// Many turns at once, with something wrong at one call in twenty: what was accepted is kept, once.

import { swept } from './case.ts'
import { type Problem, problemsOf, type Told } from './checker.ts'
import { insist } from './client.ts'
import { inLanes } from './lanes.ts'
import { lyingCache } from './lying-cache.ts'
import { crashes, type Mode } from './mode.ts'
import type { Figures, PartOptions } from './part.ts'
import { blockOf, bulky, type Program, twoSteps } from './program.ts'
import { type Random, seeded } from './random.ts'
import { assertInstalled, realServices } from './services.ts'
import { postgresStorage } from './storage.ts'
import { storedOf } from './stored.ts'
import { type Storage, World } from './world.ts'

const turns = 1_000
const threads = 100
const inFlight = 250
const faultRate = 0.05
const lies = { stale: 0.2, poisoned: 0.1 }
/** Over HTTP everything takes longer, and a worker that is only slow must not be taken for one that is gone: five times, and its run is dead. */
const leaseMs = { straight: 1_500, overHttp: 5_000 }
/** Seeds at once: a good part of each is waiting. */
const lanes = 3
const modes: readonly Mode[] = ['error', 'lost', 'late', 'later', 'hang', 'stall', 'crash-before', 'crash-after']

/** One thread in ten has a state that does not come along with the claim. */
const program: Program = {
  ...twoSteps,
  input: (name) => (name.endsWith('0') ? bulky : twoSteps).input(name),
}

interface Season {
  readonly accepted: number
  readonly problems: readonly Problem[]
  readonly faults: number
  readonly deaths: number
  readonly lies: number
}

/**
 * Straight to Postgres, with a cache in memory; every tenth seed over the published clients, HTTP and a redis-server. That
 * takes four times as long, on a machine with few cores, and most reads of the cache take longer than a turn waits for one.
 */
export async function load({ seeds, say }: PartOptions): Promise<Figures> {
  assertInstalled()
  const numbers = Array.from({ length: seeds }, (_, index) => index + 1)
  const wired = numbers.filter((seed) => seed % 10 === 1)
  const plain = numbers.filter((seed) => seed % 10 !== 1)
  const postgres = await postgresStorage(30)
  const straight = await inLanes(plain, lanes, (seed) =>
    season({ storage: postgres.storage(), leaseMs: leaseMs.straight }, seed, say),
  ).finally(postgres.close)
  const services = await realServices()
  const wire = await inLanes(wired, 1, (seed) =>
    season({ storage: services.storage, leaseMs: leaseMs.overHttp }, seed, say),
  ).finally(services.close)
  return { ...figuresOf([...straight, ...wire]), overHttp: wired.length }
}

function figuresOf(seasons: readonly Season[]): Figures {
  const sum = (pick: (each: Season) => number) => seasons.reduce((total, each) => total + pick(each), 0)
  const of = (kind: Problem['kind']) => sum(({ problems }) => problems.filter((each) => each.kind === kind).length)
  const [accepted, lost, duplicated] = [sum((each) => each.accepted), of('lost'), of('duplicated')]
  return {
    ...{ seeds: seasons.length, turns: seasons.length * turns, accepted, kept: accepted - lost, lost, duplicated },
    wrong: sum(({ problems }) => problems.length) - lost - duplicated,
    ...{ faults: sum((each) => each.faults), deaths: sum((each) => each.deaths), lies: sum((each) => each.lies) },
  }
}

interface Place {
  readonly storage: Storage
  readonly leaseMs: number
}

async function season({ storage, leaseMs }: Place, seed: number, say: PartOptions['say']): Promise<Season> {
  const random = seeded(seed)
  const cache = lyingCache(storage.cache, random, lies)
  const tenant = `load-${seed}`
  const met: Mode[] = []
  let calm = false
  const fault = () => {
    if (calm || !random.chance(faultRate)) return undefined
    const mode = random.pick(modes)
    if (mode !== undefined) met.push(mode)
    return mode
  }
  const options = { program, tenant, cached: true, recorded: false, leaseMs, fault }
  const world = new World({ ...options, storage: { ...storage, cache } })
  try {
    const told = await inLanes(requests(random), inFlight, (request) => insist(world, request))
    calm = true
    await world.settle()
    await world.landRest()
    const names = Array.from({ length: threads }, (_, index) => `t${index}`)
    await swept(world, names)
    const problems = (await inLanes(names, 10, (thread) => problemsIn(world, thread, told))).flat()
    for (const { kind, what } of problems.slice(0, 5)) say(`load, seed ${seed}: ${kind}: ${what}`)
    const accepted = told.filter(({ outcome }) => outcome === 'accepted').length
    return { accepted, problems, faults: met.length, deaths: met.filter(crashes).length, lies: cache.lies }
  } finally {
    world.bury()
  }
}

/** Half of those whose worker dies do not come back. */
function requests(random: Random) {
  return Array.from({ length: turns }, (_, index) => ({
    name: `q${index}`,
    thread: `t${index % threads}`,
    strategy: random.chance(0.7) ? ('enqueue' as const) : ('reject' as const),
    returns: random.chance(0.5),
  }))
}

async function problemsIn(world: World, thread: string, told: readonly Told[]): Promise<Problem[]> {
  const here = (request: string) => `t${Number(request.slice(1)) % threads}` === thread
  return problemsOf({
    told: told.filter(({ request }) => here(request)),
    stored: await storedOf(world, thread),
    calls: world.calls.filter(({ of }) => here(of)),
    ...{ delivered: [], sends: false, pushing: false },
    block: (request) => blockOf(program, request),
  })
}
