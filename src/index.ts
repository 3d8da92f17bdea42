// The public names of recollect.

// Writing a graph.
export { append, type Channel, type Channels, channel, last, type StateOf, type UpdateOf } from './graph/channel.ts'
export { type Command, command, END, type Send, send } from './graph/command.ts'
export type { NodeDefinition, NodeFunction, NodeOptions, NodeReturn, PlainNode } from './graph/node.ts'
// When something is wrong.
export { type ErrorCode, isRecollectError, RecollectError } from './kernel/errors.ts'
export type { StandardSchema } from './kernel/schema.ts'

// Running it.
export {
  CompiledGraph,
  type CompileOptions,
  type RunOptions,
  type RunResult,
  type StateSnapshot,
  type ThreadAddress,
} from './runtime/compiled-graph.ts'
export type { Context, Env, NodeModel, ReplyOptions } from './runtime/context.ts'
export type { CheckpointSaved, RunEvent } from './runtime/events.ts'
export { StateGraph } from './runtime/state-graph.ts'
export { type SweepResult, sweep } from './runtime/sweep.ts'
