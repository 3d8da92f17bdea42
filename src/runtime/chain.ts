// From stored frames to positions: the state at a checkpoint, or at each of a branch.
import { type Delta, emptyPosition, type Position, parseDelta, parseSnapshot } from '../graph/checkpoint.ts'
import { applyDeltas } from '../graph/delta.ts'
import { RecollectError } from '../kernel/errors.ts'
import type { Frame } from '../ports/chains.ts'

/** The position at the newest frame; the empty one for no frames. */
export function positionAt(frames: readonly Frame[]): Position {
  return positionsAlong(frames, 1).at(-1)?.position ?? emptyPosition
}

/** The newest `count` frames with their positions, oldest first. Those before are gone through at once: each by itself would copy the thread. */
export function positionsAlong(
  frames: readonly Frame[],
  count = frames.length,
): { readonly frame: Frame; readonly position: Position }[] {
  const before = frames.length - count
  const along: { frame: Frame; position: Position }[] = []
  let position = emptyPosition
  let deltas: Delta[] = []
  let previous = 0
  for (const [index, frame] of frames.entries()) {
    if (frame.kind === 'delta' && frame.parent !== previous) throw broken(frame)
    if (frame.kind === 'delta') deltas.push(parseDelta(frame.text))
    else [position, deltas] = [parseSnapshot(frame.text), []]
    previous = frame.seq
    if (index < before) continue
    position = applyDeltas(position, deltas)
    deltas = []
    along.push({ frame, position })
  }
  return along
}

function broken({ seq, parent }: Frame): RecollectError {
  return new RecollectError(
    'checkpoint_unreadable',
    `Checkpoint ${seq} continues checkpoint ${parent}, which is missing. Restore it, or go on from a later one.`,
  )
}
