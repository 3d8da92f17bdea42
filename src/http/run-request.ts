// A request to run, as the LangGraph clients write it, and what of it this version can do.

import * as z from 'zod/mini'
import type { CompiledGraph } from '../runtime/compiled-graph.ts'
import type { RunOptions } from '../runtime/options.ts'
import { graphOfAssistant } from './assistants.ts'
import { lazily, type Output } from './lazily.ts'
import { Anything, Flag, Text } from './plain.ts'
import { commandOfWire, RunCommand, resumes } from './run-command.ts'
import { type StreamMode, streamModes } from './run-events.ts'
import { JsonObject, Metadata, maybe } from './schemas.ts'
import type { Service } from './service.ts'
import { CheckpointRef, idOf } from './states.ts'
import { refuseUnsupported, unsupported } from './unsupported.ts'
import { inputOfWire } from './wire-messages.ts'

/** Known to the wire, not to this version. */
const laterModes = ['events', 'debug', 'tasks', 'checkpoints', 'tools'] as const

const Mode = lazily(() => z.enum([...streamModes, ...laterModes]))

const nodes = lazily(() =>
  maybe(z.union([z.literal('*'), z.array(Text)], { error: 'must be "*" or a list of node names' })),
)

export const RunRequest = lazily(() =>
  z.strictObject({
    assistant_id: Text,
    input: maybe(JsonObject()),
    metadata: maybe(Metadata()),
    stream_mode: maybe(
      z.union([Mode(), z.array(Mode())], { error: `must be one of ${streamModes.join(', ')}, or a list of them` }),
    ),
    if_not_exists: maybe(z.enum(['reject', 'create'])),
    on_disconnect: maybe(z.enum(['continue', 'cancel'])),
    multitask_strategy: maybe(z.enum(['reject', 'enqueue', 'interrupt', 'rollback'])),
    on_completion: maybe(z.enum(['delete', 'keep', 'complete', 'continue'])),
    config: maybe(JsonObject()),
    context: maybe(Anything),
    command: maybe(RunCommand()),
    checkpoint: maybe(CheckpointRef()),
    checkpoint_id: maybe(Text),
    interrupt_before: nodes(),
    interrupt_after: nodes(),
    webhook: maybe(Text),
    after_seconds: maybe(z.number()),
    feedback_keys: maybe(z.array(Text)),
    // These change nothing here: there are no subgraphs to stream, every step is durable, and tracing is the deployment's own.
    stream_subgraphs: maybe(Flag),
    stream_resumable: maybe(Flag),
    checkpoint_during: maybe(Flag),
    durability: maybe(z.enum(['async', 'sync', 'exit'])),
    langsmith_tracer: maybe(Anything),
  }),
)

export interface PlannedRun {
  readonly graph: CompiledGraph
  /** `null`: go on where the thread stopped. */
  readonly input: unknown
  /** Answers to what the thread's run has asked, which goes on then. */
  readonly resume?: unknown
  readonly modes: readonly StreamMode[]
  readonly options: PlannedOptions
  readonly cancelOnDisconnect: boolean
}

interface PlannedOptions
  extends Pick<RunOptions, 'strategy' | 'createThread' | 'from' | 'interruptBefore' | 'interruptAfter'> {
  /** Whether its events are kept from the first, for a reader who comes back. */
  readonly record: boolean
}

/** Throws `feature_unsupported`, naming the field, for whatever would be run otherwise than asked for. */
export async function plannedRun(
  service: Service,
  body: Output<typeof RunRequest>,
  { thread }: { thread: string | undefined },
): Promise<PlannedRun> {
  const stateless = thread === undefined
  refuseUnsupported(body, stateless ? [...later, ...ofThreads] : later)
  if (stateless && body.on_completion === 'keep')
    throw unsupported('on_completion: "keep"', 'make a thread and run in it')
  refuseConfig(body.config ?? {})
  const graph = await graphOfAssistant(service, body.assistant_id)
  const { command, interrupt_before: before, interrupt_after: after } = body
  const from = checkpointOf(body, thread)
  return {
    graph,
    input: inputOf(graph, body),
    ...(resumes(command) && { resume: command.resume }),
    modes: modesOf(body.stream_mode),
    options: {
      strategy: body.multitask_strategy ?? 'reject',
      createThread: stateless || body.if_not_exists === 'create',
      record: body.stream_resumable === true,
      ...(from != null && { from }),
      ...(before != null && { interruptBefore: before }),
      ...(after != null && { interruptAfter: after }),
    },
    cancelOnDisconnect: body.on_disconnect === 'cancel',
  }
}

const later = ['webhook', 'after_seconds', 'feedback_keys', 'context'] as const

/** Without a thread there is nothing to go back to, and nobody to answer. */
const ofThreads = ['command', 'checkpoint', 'checkpoint_id', 'interrupt_before', 'interrupt_after'] as const

function inputOf({ graph }: CompiledGraph, { input, command }: Output<typeof RunRequest>): unknown {
  if (command == null) return input ? inputOfWire(graph, input) : null
  if (input != null) throw unsupported('command beside input', 'write with one of them')
  return resumes(command) ? null : commandOfWire(graph, command)
}

function checkpointOf({ checkpoint, checkpoint_id: id }: Output<typeof RunRequest>, thread = '') {
  return (checkpoint ? idOf(checkpoint, thread) : undefined) ?? id
}

/** Tags and metadata are for tracing; everything else in a config would change the run. */
function refuseConfig({ tags: _tags, metadata: _metadata, configurable, ...config }: Record<string, unknown>): void {
  refuseUnsupported(config, Object.keys(config), 'config.')
  if (typeof configurable !== 'object' || configurable === null) return
  const { thread_id: _thread, ...rest } = configurable as Record<string, unknown>
  refuseUnsupported(rest, Object.keys(rest), 'config.configurable.')
}

/** Values, where nothing else is asked for. */
export function modesOf(
  asked: Output<typeof Mode> | readonly Output<typeof Mode>[] | null | undefined,
): readonly StreamMode[] {
  const modes = asked === undefined || asked === null ? [] : typeof asked === 'string' ? [asked] : asked
  for (const mode of modes) {
    if (!isSupported(mode)) throw unsupported(`stream_mode: "${mode}"`, `there are ${streamModes.join(', ')}`)
  }
  return modes.length === 0 ? ['values'] : [...new Set(modes.filter(isSupported))]
}

function isSupported(mode: Output<typeof Mode>): mode is StreamMode {
  return streamModes.some((known) => known === mode)
}

/** The same list in a query: repeated, or with commas. */
export const ModesQuery = lazily(() =>
  z.object({
    stream_mode: z.optional(z.union([Text, z.array(Text)])),
    cancel_on_disconnect: z.optional(Text),
  }),
)

export function modesOfQuery({ stream_mode: asked = [] }: Output<typeof ModesQuery>): unknown {
  return [asked]
    .flat()
    .flatMap((modes) => modes.split(','))
    .filter((mode) => mode !== '')
}

export const ModeList = lazily(() => z.array(Mode()))
