// What it brings to ask the model ahead of Postgres, and what it throws away: on and off, with Postgres far and Redis near.
import { agent, type CompiledGraph, user } from '../src/index.ts'
import { compiledOn } from './compiled.ts'
import { mixedLoad } from './mixed-load.ts'
import { percentiles } from './percentile.ts'
import { embedded, type ServerChoices } from './servers.ts'
import { type Stack, stack } from './stack.ts'

/** Of every call; for the model, until its answer begins. */
const latencyMs = { postgres: 80, redis: 5, model: 300 }
const mix = { threads: 100, enqueue: 0.1, interrupt: 0.1 }
const threads = 6
const turnsPerThread = 10

export async function speculation(choices: ServerChoices = embedded): Promise<Record<string, unknown>> {
  const running = await stack(choices, { chunkDelayMs: 0 })
  const { postgres, redis, model } = running.services.standIns
  const graphs = { on: compiledOn(running, agent()), off: compiledOn(running, agent(), { speculate: false }) }
  try {
    // Connections, Lua scripts and code that has not run yet belong to no figure.
    for (const graph of Object.values(graphs)) await warmTurns(running, graph, 'warm-up', () => {})
    postgres.knobs.latencyMs = latencyMs.postgres
    redis.knobs.latencyMs = latencyMs.redis
    if (model !== undefined) model.knobs.latencyMs = latencyMs.model
    const { on, off } = await firstTokens(running, graphs)
    const mixed = await mixedLoad(running, graphs.on, mix)
    // Off, nothing can be thrown away: what is counted there would be an error of the count.
    const control = await mixedLoad(running, graphs.off, { ...mix, threads: 30 })
    const patient = await mixedLoad(running, graphs.on, { threads: 30, enqueue: 0, interrupt: 0 })
    return { on, off, thrownAwayPer1000: mixed.thrownAwayPer1000, latencyMs, mixed, control, patient }
  } finally {
    await running.close()
  }
}

interface Times {
  readonly modelMs: number[]
  readonly firstTokenMs: number[]
  kept: number
}

/** On and off in turns, so that both meet the same neighbours on a shared machine. */
async function firstTokens(running: Stack, graphs: Readonly<Record<'on' | 'off', CompiledGraph>>) {
  const times = {
    on: { modelMs: [], firstTokenMs: [], kept: 0 } as Times,
    off: { modelMs: [], firstTokenMs: [], kept: 0 } as Times,
  }
  for (let thread = 0; thread < threads; thread++) {
    for (const way of ['on', 'off'] as const) {
      await warmTurns(running, graphs[way], `${way}-${thread}`, ({ modelMs, firstTokenMs, kept }) => {
        times[way].modelMs.push(modelMs)
        times[way].firstTokenMs.push(firstTokenMs)
        times[way].kept += kept
      })
    }
  }
  const figures = ({ modelMs, firstTokenMs, kept }: Times) => ({
    modelMs: percentiles(modelMs),
    firstTokenMs: percentiles(firstTokenMs),
    turns: modelMs.length,
    kept,
  })
  return { on: figures(times.on), off: figures(times.off) }
}

/** A thread: a first turn, of which nothing is told, and then warm ones. Each begins when the cache holds the one before. */
async function warmTurns(
  running: Stack,
  graph: CompiledGraph,
  thread: string,
  tell: (turn: { modelMs: number; firstTokenMs: number; kept: number }) => void,
) {
  for (let turn = 0; turn <= turnsPerThread; turn++) {
    running.taken()
    let firstTokenAt: number | undefined
    let kept = 0
    const startedAt = performance.now()
    await graph.run(
      { messages: [user(`Hello, for the ${turn}. time.`)] },
      {
        tenant: 'bench',
        user: 'bench',
        thread,
        emit: (event) => {
          if (event.type === 'text-delta') firstTokenAt ??= performance.now()
          if (event.type === 'run-started' && event.speculation === 'kept') kept = 1
        },
      },
    )
    const [asked] = running.taken().model
    if (asked === undefined || firstTokenAt === undefined) throw new Error('A turn ended without a call of the model.')
    if (turn > 0) tell({ modelMs: asked.startedAt - startedAt, firstTokenMs: firstTokenAt - startedAt, kept })
  }
}
