// One case: a scenario played on a thread of its own with the faults of a plan, then swept, gone on with, and checked.
import { sweep } from '../src/index.ts'
import { type Checkpoint, type History, type Problem, problemsOf, type Stored, type Told } from './checker.ts'
import { insist, owner } from './client.ts'
import { type Mode, pause } from './mode.ts'
import { blockOf, linesOf, type Program } from './program.ts'
import { type Scenario, thread } from './scenario.ts'
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
}

const sweepWithinMs = 20_000
const sweepEveryMs = 200
let cases = 0

export async function play(storage: Storage, { scenario, plan, returns }: Case, leaseMs: number): Promise<Result> {
  const { program, cached } = scenario
  const tenant = `case-${process.pid}-${++cases}`
  const fault = (point: string, count: number) => plan[`${point}@${count}`]
  const world = new World({ storage, program, tenant, cached, leaseMs, fault })
  const turn = (name: string) => insist(world, { name, thread, strategy: 'reject', returns: true })
  try {
    const told: Told[] = []
    for (const name of scenario.before) told.push(await turn(name))
    await world.settle()
    const playing = scenario.play(world, returns)
    await Promise.all([playing.then((each) => told.push(...each)), cron(world, playing)])
    told.push(await turn('next'))
    await world.landRest()
    await swept(world)
    told.push(await turn('last'))
    await world.settle()
    const stored = await storedOf(world)
    const history: History = {
      told,
      stored,
      calls: world.calls,
      block: (request) => blockOf(program, request),
      pushing: scenario.pushing ?? false,
    }
    return { problems: problemsOf(history), told, trace: world.trace, met: world.met }
  } finally {
    world.bury()
  }
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
  await worker.attempt(() => sweep(worker.checkpointer, { [world.program.name]: worker.app }))
}

/** Sweeps until nothing is due, as the cron would, but not only once a minute. */
export async function swept(world: World, withinMs = sweepWithinMs): Promise<void> {
  const until = performance.now() + withinMs
  for (;;) {
    await sweepOnce(world)
    const runs = await world.checkpointer.runs.list(place(world), { limit: 1_000, offset: 0 })
    if (!runs.some(({ status }) => status === 'queued' || status === 'running') || performance.now() > until) return
    await pause(sweepEveryMs)
  }
}

function place({ tenant }: World) {
  return { tenant, thread, owner }
}

/** What is stored, read with nothing wrong. */
export async function storedOf(world: World): Promise<Stored> {
  const { checkpointer, program } = world
  const app = reader(program, world)
  const at = { tenant: world.tenant, user: owner, thread }
  const record = await checkpointer.threads.get(place(world))
  if (record === undefined) throw new Error(`The thread of ${world.tenant} is not there.`)
  const runs = await checkpointer.runs.list(place(world), { limit: 1_000, offset: 0 })
  const branch = (await app.history(at, { limit: 100_000 })).map(checkpointOf).reverse()
  const known = new Map(branch.map((checkpoint) => [checkpoint.seq, checkpoint]))
  // Numbers have no gaps: off the branch is what was rolled back.
  const last = Math.max(0, ...branch.map(({ seq }) => seq), ...runs.map(({ answer }) => answer ?? 0))
  for (let seq = 1; seq < last; seq++) {
    if (!known.has(seq)) known.set(seq, checkpointOf(await app.state(at, `${seq}`)))
  }
  return { thread: record, runs, branch, checkpoint: (seq) => known.get(seq), lines: branch.at(-1)?.lines ?? [] }
}

function reader(program: Program, { checkpointer }: World) {
  return program
    .graph({ shop: { charge: async () => {} }, attempt: () => 0 })
    .compile({ checkpointer, model: program.model(() => 0), name: program.name })
}

function checkpointOf(snapshot: {
  readonly checkpoint: string
  readonly parent: string | undefined
  readonly run: string
  readonly step: number
  readonly values: Readonly<Record<string, unknown>>
}): Checkpoint {
  const { checkpoint, parent, run, step, values } = snapshot
  return { seq: Number(checkpoint), parent: Number(parent ?? 0), run, step, lines: linesOf(values) }
}
