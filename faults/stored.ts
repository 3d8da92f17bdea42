// What is stored of a world's thread, read with nothing wrong.
import { type CompiledGraph, isRecollectError, type StateSnapshot } from '../src/index.ts'
import type { Checkpointer } from '../src/ports/index.ts'
import type { Checkpoint, Stored } from './checker.ts'
import { owner } from './client.ts'
import { linesOf } from './program.ts'
import type { World } from './world.ts'

export function placeOf({ tenant }: World, thread: string) {
  return { tenant, thread, owner }
}

/** Who reads, and how a state is put into lines. */
export interface Reader {
  readonly checkpointer: Checkpointer
  readonly app: CompiledGraph
  readonly tenant: string
  readonly lines: (values: Readonly<Record<string, unknown>>) => string[]
}

export function storedOf(world: World, thread: string): Promise<Stored> {
  const { checkpointer, tenant, program, graph: name } = world
  const nothing = async () => {}
  const app = program
    .graph({ shop: { charge: nothing, deliver: nothing }, attempt: () => 0 })
    .compile({ checkpointer, model: program.model(() => 0), name })
  return readStored({ checkpointer, app, tenant, lines: linesOf }, thread)
}

const empty: Stored = { thread: undefined, runs: [], branch: [], checkpoint: () => undefined, lines: [] }

export async function readStored({ checkpointer, app, tenant, lines }: Reader, thread: string): Promise<Stored> {
  const at = { tenant, user: owner, thread }
  const place = { tenant, thread, owner }
  const checkpointOf = ({ checkpoint, parent, run, step, values }: StateSnapshot): Checkpoint => {
    return { seq: Number(checkpoint), parent: Number(parent ?? 0), run, step, lines: lines(values) }
  }
  const record = await checkpointer.threads.get(place)
  // Nothing that was asked on it has got that far.
  if (record === undefined) return empty
  const runs = await checkpointer.runs.list(place, { limit: 10_000, offset: 0 })
  const branch = (await app.history(at, { limit: 100_000 })).map(checkpointOf).reverse()
  const known = new Map(branch.map((checkpoint) => [checkpoint.seq, checkpoint]))
  // Numbers have no gaps: what is not on the branch was rolled back, or pruned.
  const last = Math.max(0, ...branch.map(({ seq }) => seq), ...runs.map(({ answer }) => answer ?? 0))
  for (let seq = 1; seq < last; seq++) {
    if (known.has(seq)) continue
    const snapshot = await app.state(at, `${seq}`).catch((error: unknown) => {
      if (isRecollectError(error) && error.code === 'checkpoint_unknown') return undefined
      throw error
    })
    if (snapshot !== undefined) known.set(seq, checkpointOf(snapshot))
  }
  return { thread: record, runs, branch, checkpoint: (seq) => known.get(seq), lines: branch.at(-1)?.lines ?? [] }
}
