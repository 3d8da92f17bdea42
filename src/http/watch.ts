// A run's events from the first to the last, wherever it works by now.
import type { CompiledGraph } from '../runtime/compiled-graph.ts'
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
