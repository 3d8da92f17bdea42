// What a caller brings a thread, as the run that a turn is asked for with.
import { checkEdit, checkInput } from '../graph/apply.ts'
import type { Channels, UpdateOf } from '../graph/channel.ts'
import { type Command, isCommand, targetsOf } from '../graph/command.ts'
import type { Graph } from '../graph/graph.ts'
import { RecollectError } from '../kernel/errors.ts'
import { assertId, assertPrincipal, randomId } from '../kernel/id.ts'
import { isRecord } from '../kernel/json.ts'
import { seqOf } from './history.ts'
import type { RunOptions, Stops } from './options.ts'
import type { TurnRun } from './turn-request.ts'

/** Values to start with; `null`: go on where the thread stopped; a command: write, and go on where it says. */
export type NewInput<C extends Channels> = UpdateOf<C> | Command | null

/** Throws `input_invalid` and `id_invalid`. */
export function turnRunOf(graph: Graph, input: unknown, options: RunOptions): TurnRun {
  const { run: id = randomId(), key = id, strategy = 'reject', from } = options
  assertId('run', id)
  assertPrincipal('idempotency key', key)
  const stops = [
    ...stopsOf(graph, 'before', options.interruptBefore ?? []),
    ...stopsOf(graph, 'after', options.interruptAfter ?? []),
  ]
  const place = { id, key, strategy, stops, ...(from !== undefined && { forkFrom: seqOf(from) }) }
  if (!isCommand(input)) {
    if (input !== null) checkInput(graph, input)
    return { ...place, kind: 'input', input }
  }
  const edit = editOf(input)
  checkEdit(graph, edit)
  return { ...place, kind: 'command', input: edit }
}

function editOf({ update = {}, goto }: Command) {
  if (!isRecord(update))
    throw new RecollectError('input_invalid', 'The update of a command must be an object of channels.')
  return { update, ...(goto !== undefined && { goto: targetsOf(goto, 'The goto of a command') }) }
}

function stopsOf(graph: Graph, when: 'before' | 'after', stops: Stops): string[] {
  const nodes = stops === '*' ? ['*'] : [...stops]
  for (const node of nodes) {
    if (node === '*' || graph.nodes.has(node)) continue
    throw new RecollectError(
      'input_invalid',
      `The run is to stop ${when} node "${node}", which the graph does not have.`,
    )
  }
  return nodes.map((node) => `${when}:${node}`)
}
