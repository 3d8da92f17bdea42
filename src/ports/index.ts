// The ports: what recollect needs of the outside. Implement one to bring your own storage, cache or model.
export type { Cache, CacheEntry, CacheKey } from './cache.ts'
export type {
  AbandonedTurn,
  BeginTurn,
  BusyStrategy,
  Cancellation,
  CancelRun,
  Chain,
  Checkpointer,
  ClaimedTurn,
  ClaimRef,
  Frame,
  LoadChain,
  NewCheckpoint,
  NewRun,
  Orphan,
  SavedTask,
  SnapshotPut,
  StepCommit,
  StepOutcome,
  ThreadKey,
  TurnClaim,
} from './checkpointer.ts'
export type { EventLog, EventPart } from './event-log.ts'
export type {
  AssistantMessage,
  FinishReason,
  Message,
  Model,
  ModelPart,
  ModelRequest,
  SystemMessage,
  ToolCall,
  ToolDescription,
  ToolMessage,
  Usage,
  UserMessage,
} from './model.ts'
export type { Fate, Outbox, OutboxEntry, OutboxMessage, TakeMessages } from './outbox.ts'
export type { RunError, RunRecord, RunRecords, RunStatus } from './run-records.ts'
export type {
  ExpiredThread,
  ThreadChange,
  ThreadCreation,
  ThreadRecord,
  ThreadRecords,
  ThreadSearch,
  ThreadStatus,
} from './thread-records.ts'
