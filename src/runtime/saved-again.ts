// The event of a checkpoint that was saved elsewhere, made of the states before and after it.
import type { Position } from '../graph/checkpoint.ts'
import type { Graph } from '../graph/graph.ts'
import { stateView } from '../graph/plan.ts'
import { isRecord } from '../kernel/json.ts'
import type { CheckpointSaved } from './events.ts'

/** What its nodes wrote is seen from the states: they are told as one. */
export function savedAgain(
  graph: Graph,
  before: Position | undefined,
  { values, due }: Position,
  { seq, step }: { readonly seq: number; readonly step: number },
): CheckpointSaved {
  const old = before?.values ?? {}
  const changed = Object.keys(values).filter((name) => !Object.is(old[name], values[name]))
  const update = Object.fromEntries(changed.map((name) => [name, added(old[name], values[name])]))
  const writes = step === 0 ? [] : [{ node: before?.due[0]?.node ?? '', update }]
  const next = due.map(({ node }) => node)
  return { type: 'checkpoint-saved', seq, step, values: stateView(graph, values), writes, next }
}

/** Of a list that has grown, what it has grown by. */
function added(before: unknown, after: unknown): unknown {
  if (!Array.isArray(before) || !Array.isArray(after)) return after
  const known = new Set(before.map(nameOf))
  return after.filter((element) => !known.has(nameOf(element)))
}

function nameOf(element: unknown): unknown {
  return isRecord(element) && typeof element.id === 'string' ? element.id : element
}
