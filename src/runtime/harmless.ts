// A watcher of a run, kept from doing it harm.
import type { Emit } from './events.ts'

/** A watcher that throws is not told again; the run it watches goes on. */
export function harmless(emit: Emit | undefined): Emit {
  let watcher = emit
  return (event) => {
    try {
      watcher?.(event)
    } catch (error) {
      watcher = undefined
      console.error('A watcher of a run threw and is not told more.', error)
    }
  }
}
