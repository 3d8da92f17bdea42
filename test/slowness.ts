// How slow this machine is at the moment: bounds on time were set on one that had nothing else to do, and hold for that.

const samples = 25
/** What the work below takes on the machine on which the bounds were set. */
const usualMs = 13.5

/** How many times longer than there things take here and now, at least 1. Takes a third of a second, with the processor at work. */
export function slowness(): number {
  const times = Array.from({ length: samples }, () => {
    const startedAt = performance.now()
    work()
    return performance.now() - startedAt
  })
  // The median: whoever stood still for a moment is not slow.
  const median = times.toSorted((a, b) => a - b)[Math.floor(samples / 2)] ?? usualMs
  return Math.max(1, median / usualMs)
}

/** Arithmetic alone, which no cache or disk makes quicker. */
function work(): number {
  let state = 1
  for (let step = 0; step < 10_000_000; step++) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
  return state
}
