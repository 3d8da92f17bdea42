// Whether the one who asked for a turn still reads it. What is told after they have left is recorded, for when they come back;
// and a Worker, which does not outlive its request by much, hands the turn over in time.

export interface Attendance {
  readonly left: AbortSignal
  readonly handOver: AbortSignal
  leave(): void
  /** The turn has ended: nothing is to be handed over. */
  end(): void
}

/** `lifetimeMs`: how long work goes on here when its reader has left; `undefined`, as long as it takes. */
export function attendance(request: Request, lifetimeMs: number | undefined): Attendance {
  const leaving = new AbortController()
  const handingOver = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const leave = () => {
    if (leaving.signal.aborted) return
    leaving.abort()
    if (lifetimeMs !== undefined) timer = setTimeout(() => handingOver.abort(), lifetimeMs)
  }
  if (request.signal.aborted) leave()
  else request.signal.addEventListener('abort', leave)
  return {
    left: leaving.signal,
    handOver: handingOver.signal,
    leave,
    end() {
      clearTimeout(timer)
      request.signal.removeEventListener('abort', leave)
    },
  }
}
