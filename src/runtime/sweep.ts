// The sweep: finishes runs whose worker is gone and that no request has taken over.
import type { Checkpointer } from '../ports/checkpointer.ts'
import type { CompiledGraph } from './compiled-graph.ts'

export interface SweepResult {
  readonly found: number
  readonly finished: number
  /** A run that failed again, or whose graph is not deployed. It stays due until it has failed five times. */
  readonly failed: number
}

/** Takes up to `limit` orphans, one after the other: a sweep shares its isolate with requests. */
export async function sweep(
  checkpointer: Checkpointer,
  graphs: Readonly<Record<string, CompiledGraph>>,
  limit = 20,
): Promise<SweepResult> {
  const orphans = await checkpointer.orphans(limit)
  let finished = 0
  let failed = 0
  for (const orphan of orphans) {
    try {
      const graph = graphs[orphan.graph]
      if (graph === undefined) failed++
      else if (await graph.finish(orphan)) finished++
    } catch {
      failed++
    }
  }
  return { found: orphans.length, finished, failed }
}
