// A run's events from the first to the last, wherever it works by now; and what it comes to.
import type { Channels } from '../graph/channel.ts'
import { RecollectError } from '../kernel/errors.ts'
import type { CompiledGraph, RunResult } from '../runtime/compiled-graph.ts'
import { movesOn, type RunEvent } from '../runtime/events.ts'
import type { FollowOptions } from '../runtime/follow.ts'
import type { ThreadAddress } from '../runtime/history.ts'
import type { RunningTurn } from './running-turns.ts'

/** From a turn that works here; where another worker takes the run over, from there. */
export async function* watched(
  graph: CompiledGraph,
  address: ThreadAddress,
  turn: RunningTurn,
  options: FollowOptions,
): AsyncGenerator<RunEvent, void> {
  const known = { epoch: 0, step: -1 }
  for await (const event of turn.events()) {
    if (event.type === 'run-failed' && movesOn(event.error)) {
      yield* graph.follow(address, event.run, { ...options, known })
      return
    }
    if (event.type === 'run-started') known.epoch = event.epoch
    if (event.type === 'checkpoint-saved') known.step = event.step
    yield event
  }
}

/** Waits for the end of a run, wherever it works. Throws what it failed with. */
export async function resultOf(
  graph: CompiledGraph,
  address: ThreadAddress,
  run: string,
  options: FollowOptions,
): Promise<RunResult<Channels>> {
  for await (const event of graph.follow(address, run, options)) {
    if (event.type === 'run-finished') return { run, checkpoint: `${event.seq}`, values: event.values }
    if (event.type === 'run-failed') throw event.error
  }
  throw new RecollectError('run_queued', `Run "${run}" goes on without its reader.`)
}
