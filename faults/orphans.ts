// Runs that were left behind, and two sweepers at once, one of which is killed and replaced again and again.
import { postgresBinaries } from '../local/neon/throwaway-postgres.ts'
import { blocksOf, problemsOf } from './checker.ts'
import { insist } from './client.ts'
import { inLanes } from './lanes.ts'
import { pause } from './mode.ts'
import { type Figures, type PartOptions, Skipped } from './part.ts'
import { blockOf, twoSteps } from './program.ts'
import { seeded } from './random.ts'
import { postgresStorage } from './storage.ts'
import { storedOf } from './stored.ts'
import type { Worker } from './worker.ts'
import { World } from './world.ts'

const orphaned = 500
const leaseMs = 1_000
const sweptWithinMs = 120_000
/** A sweep works on so many runs at once: so many may have to be run again when it is killed. */
const atOnce = 4
/** From one kill to the next: so many runs, and up to twice as many. */
const runsPerKill = 40
const tenant = 'orphans'

export async function orphans({ say }: PartOptions): Promise<Figures> {
  if (postgresBinaries() === undefined) throw new Skipped('it needs postgresql: apt-get install postgresql')
  const { storage, close } = await postgresStorage(30)
  const world = new World({
    ...{ storage: storage(), program: twoSteps, tenant, cached: false, recorded: false, leaseMs },
    // Half of the workers die with the claim, half with the first commit.
    fault: (point) => {
      const [, number, call] = /^q(\d+):postgres\.(\w+)$/.exec(point) ?? []
      return call === (Number(number) % 2 === 0 ? 'beginTurn' : 'commitStep') ? 'crash-after' : undefined
    },
  })
  try {
    const names = Array.from({ length: orphaned }, (_, index) => `q${index}`)
    const told = await inLanes(names, 50, (name) =>
      insist(world, { name, thread: name, strategy: 'reject', returns: false }),
    )
    await pause(leaseMs)
    const kills = await sweepAll(world)
    const checked = await inLanes(names, 20, async (name, index) => {
      const stored = await storedOf(world, name)
      const history = { told: [told[index] ?? []].flat(), stored, calls: world.calls.filter(({ of }) => of === name) }
      const more = {
        delivered: [],
        sends: false,
        pushing: false,
        block: (request: string) => blockOf(twoSteps, request),
      }
      const answers = blocksOf(stored.lines).filter(({ lines }) => lines.length > 1).length
      return { problems: problemsOf({ ...history, ...more }), answers, attempts: history.calls.length }
    })
    const problems = checked.flatMap((each) => each.problems)
    for (const { kind, what } of problems.slice(0, 10)) say(`orphans: ${kind}: ${what}`)
    const again = checked.reduce((sum, { attempts }) => sum + Math.max(0, attempts - 1), 0)
    return {
      orphans: told.filter(({ outcome }) => outcome === 'unknown').length,
      recovered: checked.filter(({ answers }) => answers === 1).length,
      twice: checked.filter(({ answers }) => answers > 1).length + Math.max(0, again - atOnce * kills),
      ...{ kills, again, wrong: problems.length },
    }
  } finally {
    world.bury()
    await close()
  }
}

/** Until nothing is due. Gives how often the one sweeper was killed. */
async function sweepAll(world: World): Promise<number> {
  const random = seeded(1)
  const untilMs = performance.now() + sweptWithinMs
  let [kills, charged, nextKill] = [0, 0, runsPerKill]
  let fragile: Worker | undefined
  world.hold = async () => {
    charged++
    if (charged < nextKill || fragile === undefined) return
    nextKill = charged + runsPerKill + random.int(runsPerKill)
    kills++
    fragile.die()
    fragile = undefined
  }
  const search = { graphs: [world.graph], limit: 1 }
  const isDue = async () => (await world.checkpointer.orphans(search)).length > 0
  const sweeper = async (breaks: boolean) => {
    let quiet = 0
    // Twice in a row: what a dead sweeper holds is due only after its lease.
    while (quiet < 2 && performance.now() < untilMs) {
      const worker = world.worker(breaks ? 'fragile' : 'sound')
      if (breaks) fragile = worker
      await worker.attempt(() => worker.sweep())
      quiet = (await isDue()) ? 0 : quiet + 1
      if (quiet > 0) await pause(leaseMs)
    }
  }
  await Promise.all([sweeper(true), sweeper(false)])
  return kills
}
