// The client of a load measurement, in a process of its own: its cost is known apart, and it waits for nobody else's event loop.
// Forked with a `Load`, it says when the warm-up is over, and then what it found.
import { converse, type Load, type LoadResult } from './load.ts'

export type Said = { readonly measuring: true } | { readonly result: LoadResult }

const say = (said: Said) => process.send?.(said)

process.once('message', async (load: Load) => {
  say({ result: await converse(load, () => say({ measuring: true })) })
  process.disconnect()
})
