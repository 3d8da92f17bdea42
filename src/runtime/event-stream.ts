// Events as an async iterable. The work behind it goes on whether or not anybody reads.
import type { Emit, RunEvent } from './events.ts'

/** Starts `work` at once. Reading throws what the work threw, after its last event. */
export function eventStream(work: (emit: Emit) => Promise<unknown>): AsyncIterable<RunEvent> {
  const waiting: RunEvent[] = []
  let wake: (() => void) | undefined
  let end: { error?: unknown } | undefined
  const emit: Emit = (event) => {
    waiting.push(event)
    wake?.()
  }
  const finish = (result: { error?: unknown }) => {
    end = result
    wake?.()
  }
  work(emit).then(
    () => finish({}),
    (error: unknown) => finish({ error }),
  )
  return {
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const event = waiting.shift()
        if (event !== undefined) yield event
        else if (end === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        } else if ('error' in end) throw end.error
        else return
      }
    },
  }
}
