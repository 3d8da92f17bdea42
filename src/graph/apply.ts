// Applying: from a position and what its tasks wrote to the next position. Pure, and the same whenever it is done again.
import { didYouMean, type ErrorCode, isRecollectError, RecollectError } from '../kernel/errors.ts'
import { isRecord } from '../kernel/json.ts'
import type { MintId } from './channel.ts'
import type { Due, Position } from './checkpoint.ts'
import { END, isCommand, isSend, type Target, targetsOf } from './command.ts'
import type { Graph } from './graph.ts'
import { stateView } from './plan.ts'
import type { TaskWrites } from './task-writes.ts'

/** Makes the ids of one task's writes. */
export type MintIdFor = (taskIndex: number) => MintId

/** What a node returned, checked: an update of known channels, a command, or nothing. */
export function writesOf(graph: Graph, node: string, returned: unknown): TaskWrites {
  const { update, goto: wished } = isCommand(returned) ? returned : { update: returned }
  const goto = wished === undefined ? undefined : targetsOf(wished, `Node "${node}"`)
  if (update === undefined || update === null) return { node, update: {}, goto }
  if (!isRecord(update)) {
    const kind = Array.isArray(update)
      ? 'an array'
      : typeof update === 'object'
        ? `an instance of ${update.constructor?.name ?? 'a class'}`
        : `a ${typeof update}`
    throw new RecollectError(
      'node_write_invalid',
      `Node "${node}" returned ${kind}; it must return an object of channels, a command, or nothing.`,
    )
  }
  assertChannels(graph, update, (name, hint) => {
    throw new RecollectError('node_write_invalid', `Node "${node}" wrote to "${name}", which is not a channel${hint}.`)
  })
  return { node, update, goto }
}

/** Throws `input_invalid` for an input that no state could take: wrong shape, unknown channels, refused values. */
export function checkInput(graph: Graph, input: unknown): void {
  reduceInput(graph, {}, input, () => '')
}

/** The position after `input` arrived: its writes applied and what `edges.start` says made due. */
export function applyInput(graph: Graph, position: Position, input: unknown, mintId: MintId): Position {
  const values = reduceInput(graph, position.values, input, mintId)
  return follow(graph, { values, due: [], arrived: {} }, [{ node: 'start', update: {}, goto: undefined }])
}

function reduceInput(graph: Graph, values: Position['values'], input: unknown, mintId: MintId): Position['values'] {
  if (!isRecord(input)) {
    throw new RecollectError(
      'input_invalid',
      'The input must be an object with the channels it writes, such as { "messages": […] }.',
    )
  }
  assertChannels(graph, input, (name, hint) => {
    throw new RecollectError('input_invalid', `The input has "${name}", which is not a channel of this graph${hint}.`)
  })
  return reduceInto(graph, values, input, mintId, (name, error) =>
    refusal('input_invalid', `The input for channel "${name}" was refused`, error),
  )
}

/** The position after a superstep. Writes are applied in task order (T4). */
export function applyWrites(
  graph: Graph,
  position: Position,
  writes: readonly TaskWrites[],
  mintIdFor: MintIdFor,
): Position {
  let values = position.values
  writes.forEach(({ node, update }, index) => {
    values = reduceInto(graph, values, update, mintIdFor(index), (name, error) =>
      refusal('node_write_invalid', `Channel "${name}" refused what node "${node}" wrote`, error),
    )
  })
  return follow(graph, { ...position, values }, writes)
}

function reduceInto(
  graph: Graph,
  values: Position['values'],
  update: Readonly<Record<string, unknown>>,
  mintId: MintId,
  refused: (channel: string, error: unknown) => RecollectError,
): Position['values'] {
  let next: Record<string, unknown> | undefined
  for (const [name, write] of Object.entries(update)) {
    const channel = graph.channels[name]
    if (channel === undefined || write === undefined) continue
    next ??= { ...values }
    try {
      next[name] = channel.reduce(Object.hasOwn(next, name) ? next[name] : channel.initial(), write, mintId)
    } catch (error) {
      throw refused(name, error)
    }
  }
  return next ?? values
}

/** What is due after `writes`: commands first, else edges; a node that several name is due once, each send once. */
function follow(graph: Graph, position: Position, writes: readonly TaskWrites[]): Position {
  const due: Due[] = []
  const named = new Set<string>()
  const arrived: Record<string, readonly string[]> = { ...position.arrived }
  const view = lazily(() => stateView(graph, position.values))
  const makeDue = (node: string) => {
    if (!named.has(node)) due.push({ node })
    named.add(node)
  }
  for (const { node: source, goto } of writes) {
    const edge = graph.edges.get(source)
    const fixed = goto === undefined && typeof edge !== 'function'
    for (const target of goto ?? targets(graph, source, view)) {
      if (target === END) continue
      if (isSend(target)) due.push({ node: known(graph, target.node, source), input: target.input })
      else if (fixed && graph.joins.has(target)) arrive(graph, arrived, target, source, makeDue)
      else makeDue(known(graph, target, source))
    }
  }
  // A join that runs, whoever named it, waits for all of its sources anew.
  for (const { node } of due) delete arrived[node]
  return { values: position.values, due, arrived }
}

function arrive(
  graph: Graph,
  arrived: Record<string, readonly string[]>,
  join: string,
  source: string,
  makeDue: (node: string) => void,
): void {
  const here = new Set([...(arrived[join] ?? []), source])
  if (graph.joins.get(join)?.every((awaited) => here.has(awaited))) {
    makeDue(join)
  } else {
    arrived[join] = [...here]
  }
}

function targets(graph: Graph, source: string, view: () => Readonly<Record<string, unknown>>): readonly Target[] {
  const edge = graph.edges.get(source)
  if (edge === undefined) return []
  if (typeof edge !== 'function') return edge
  let chosen: unknown
  try {
    chosen = edge(view())
  } catch (error) {
    throw refusal('route_invalid', `The route edges.${source} threw`, error)
  }
  return targetsOf(chosen, `The route edges.${source}`)
}

function known(graph: Graph, target: string, source: string): string {
  if (graph.nodes.has(target)) return target
  throw new RecollectError(
    'route_invalid',
    `"${source}" goes to "${target}", which is not a node${didYouMean(target, [...graph.nodes.keys()])}.`,
  )
}

/** Our own words are passed on; those of a foreign error stay its own, for they may quote the state. */
function refusal(code: ErrorCode, what: string, error: unknown): RecollectError {
  const why = isRecollectError(error)
    ? `: ${error.message}`
    : ` with ${error instanceof Error ? error.name : typeof error}.`
  return new RecollectError(code, what + why, { cause: error })
}

function assertChannels(
  graph: Graph,
  update: Readonly<Record<string, unknown>>,
  unknown: (name: string, hint: string) => never,
): void {
  for (const name of Object.keys(update)) {
    if (!Object.hasOwn(graph.channels, name)) unknown(name, didYouMean(name, Object.keys(graph.channels)))
  }
}

function lazily<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
