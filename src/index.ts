// The public names of recollect.

// Agents.
export { agent } from './agent/agent.ts'
export { extraction } from './agent/extraction.ts'
export { forgetTool, type MemoryToolOptions, recallTool, rememberTool } from './agent/memory-tools.ts'
export {
  assistant,
  callsTools,
  latestText,
  type MessageWrite,
  messages,
  type NewMessage,
  removeMessage,
  system,
  user,
} from './agent/messages.ts'
export { type ModelNodeOptions, modelNode } from './agent/model-node.ts'
export { citations, type RecallNodeOptions, recalled, recallNode } from './agent/recalled.ts'
export { subgraph } from './agent/subgraph.ts'
export { type NewSummary, summarizeNode, summary } from './agent/summary.ts'
export type { CountTokens } from './agent/token-count.ts'
export { type ApprovalRule, type Tool, type ToolContext, type ToolDefinition, tool } from './agent/tool.ts'
export { toolNode } from './agent/tool-node.ts'
export {
  currentSummary,
  type PlainTrim,
  type Summary,
  type SummaryOptions,
  type SummaryState,
  type SummaryTrim,
  type Trim,
  type TrimFunction,
  type TrimInfo,
  type TrimLimits,
  trimmed,
} from './agent/trim.ts'
// Writing a graph.
export { append, type Channel, type Channels, channel, last, type StateOf, type UpdateOf } from './graph/channel.ts'
export { type Command, command, END, type Send, send } from './graph/command.ts'
export { type Interrupt, type InterruptTerms, interrupt } from './graph/interrupt.ts'
export type { NodeDefinition, NodeFunction, NodeOptions, NodeReturn, PlainNode } from './graph/node.ts'
// When something is wrong.
export { asRecollectError, type ErrorCode, isRecollectError, RecollectError } from './kernel/errors.ts'
export type { Filter } from './kernel/filter.ts'
export type { Namespace } from './kernel/namespace.ts'
export type { StandardSchema } from './kernel/schema.ts'
export type { BoundStore } from './memory/bound-store.ts'
export type { ExtractedFact, ExtractOptions } from './memory/extraction.ts'
export { guardedStore, type StoreWrite, type WriteRule } from './memory/guarded-store.ts'
export { type IndexedStoreOptions, indexedStore } from './memory/indexed-store.ts'
export type { BoundMemory, Memory, RecallOptions, RememberOptions } from './memory/memory.ts'
export type { RecalledRef } from './memory/recalled-text.ts'
export { type ReindexOptions, reindex } from './memory/reindex.ts'
export type { BusyStrategy } from './ports/checkpointer.ts'
export type { AssistantMessage, Message, SystemMessage, ToolCall, ToolMessage, UserMessage } from './ports/model.ts'
export type { FoundItem, Item, ItemPage, ItemValue, ItemVersion, Nearby, PutOutcome, Store } from './ports/store.ts'
// Running it.
export { CompiledGraph } from './runtime/compiled-graph.ts'
export type { Context, Env, NodeModel, ReplyOptions } from './runtime/context.ts'
export type { Deliver, Delivery, DeliveryResult } from './runtime/delivery.ts'
export type { CheckpointSaved, PendingInterrupt, RunEvent, RunInterrupted, RunStarted } from './runtime/events.ts'
export type { Extraction } from './runtime/extraction.ts'
export type { FollowOptions } from './runtime/follow.ts'
export type { HistoryPage, StateSnapshot, ThreadAddress } from './runtime/history.ts'
export type { CompileOptions, RunOptions } from './runtime/options.ts'
export type { RunResult } from './runtime/run-result.ts'
export { StateGraph } from './runtime/state-graph.ts'
export { type SweepOptions, type SweepResult, sweep } from './runtime/sweep.ts'
export { type AskedApproval, WebhookOffice, type WebhookOptions } from './webhooks/office.ts'
