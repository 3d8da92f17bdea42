// One hot thread: a hundred turns at once, all waiting in line, by workers of their own.
import { blocksOf, problemsOf } from './checker.ts'
import { insist } from './client.ts'
import { inLanes } from './lanes.ts'
import type { Figures, PartOptions } from './part.ts'
import { blockOf, twoSteps } from './program.ts'
import { realServices } from './services.ts'
import { storedOf } from './stored.ts'
import { World } from './world.ts'

const turns = 100
const leaseMs = 60_000
const thread = 'hot'
const tenant = 'hot'

export async function hot({ say }: PartOptions): Promise<Figures> {
  const { storage, pool, close } = await realServices()
  const options = { storage, program: twoSteps, tenant, cached: true, recorded: false, leaseMs }
  const world = new World({ ...options, fault: () => undefined })
  try {
    const names = Array.from({ length: turns }, (_, index) => `q${index}`)
    const told = await inLanes(names, turns, (name) =>
      insist(world, { name, thread, strategy: 'enqueue', returns: true }),
    )
    await world.settle()
    const stored = await storedOf(world, thread)
    const block = (request: string) => blockOf(twoSteps, request)
    const history = { told, stored, calls: world.calls, delivered: [], sends: false, pushing: false, block }
    const problems = problemsOf(history)
    for (const { kind, what } of problems.slice(0, 5)) say(`hot: ${kind}: ${what}`)
    const { rows } = await pool.query<{ key: string }>(
      'select key from recollect.runs where tenant = $1 order by ticket',
      [tenant],
    )
    const order = blocksOf(stored.lines).map(({ request }) => request)
    const waits = told.map(({ askedAt, answeredAt }) => answeredAt - askedAt).sort((a, b) => a - b)
    const wait = (share: number) => Math.round(waits[Math.ceil(waits.length * share) - 1] ?? 0)
    return {
      turns: told.filter(({ outcome }) => outcome === 'accepted').length,
      outOfOrder: rows.filter(({ key }, index) => order[index] !== key).length,
      ...{ p95WaitMs: wait(0.95), p50WaitMs: wait(0.5), wrong: problems.length },
    }
  } finally {
    world.bury()
    await close()
  }
}
