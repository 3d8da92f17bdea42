// From stored frames to positions: the state at a checkpoint, or at each of a branch.
import { emptyPosition, type Position, parseDelta, parseSnapshot } from '../graph/checkpoint.ts'
import { applyDelta } from '../graph/delta.ts'
import { RecollectError } from '../kernel/errors.ts'
import type { Frame } from '../ports/chains.ts'

/** The position at the newest frame; the empty one for no frames. */
export function positionAt(frames: readonly Frame[]): Position {
  return positionsAlong(frames).at(-1)?.position ?? emptyPosition
}

/** Every frame with its position, oldest first. */
export function positionsAlong(frames: readonly Frame[]): { frame: Frame; position: Position }[] {
  let position = emptyPosition
  let previous = 0
  return frames.map((frame) => {
    if (frame.kind === 'snapshot') position = parseSnapshot(frame.text)
    else if (frame.parent === previous) position = applyDelta(position, parseDelta(frame.text))
    else throw broken(frame)
    previous = frame.seq
    return { frame, position }
  })
}

function broken({ seq, parent }: Frame): RecollectError {
  return new RecollectError(
    'checkpoint_unreadable',
    `Checkpoint ${seq} continues checkpoint ${parent}, which is missing. Restore it, or go on from a later one.`,
  )
}
