// The ports: what recollect needs of the outside. Implement one to bring your own storage, cache or model.
export type {
  AnswerApproval,
  AnswerOutcome,
  ApprovalAttempt,
  ApprovalRecord,
  ApprovalSearch,
  ApprovalStatus,
  Approvals,
  Question,
} from './approvals.ts'
export type { Cache, CacheEntry, CacheKey } from './cache.ts'
export type { Chain, Frame, LoadChain, NewCheckpoint, SnapshotPut, StepRecord } from './chains.ts'
export type {
  AbandonedTurn,
  Answer,
  BeginTurn,
  BusyStrategy,
  Cancellation,
  CancelRun,
  Checkpointer,
  ClaimedTurn,
  ClaimRef,
  NewRun,
  Orphan,
  RunKind,
  SavedTask,
  StepCommit,
  StepOutcome,
  ThreadKey,
  TurnClaim,
} from './checkpointer.ts'
export type { Embedder } from './embedder.ts'
export type { EventLog, EventPart } from './event-log.ts'
export type {
  Candidates,
  IndexEntry,
  IndexedItems,
  IndexHits,
  IndexPlace,
  IndexQuery,
  IndexSetup,
  ItemIndex,
  TenantItem,
} from './item-index.ts'
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
  Effects,
  FoundItem,
  HistoryRead,
  IdSearch,
  Item,
  ItemAddress,
  ItemBatch,
  ItemDeletion,
  ItemOperation,
  ItemPage,
  ItemPut,
  ItemRead,
  ItemResult,
  ItemSearch,
  ItemValue,
  ItemVersion,
  NamespaceSearch,
  Nearby,
  PutOutcome,
  Store,
  StoreMessage,
} from './store.ts'
export type {
  ExpiredThread,
  ThreadChange,
  ThreadCreation,
  ThreadRecord,
  ThreadRecords,
  ThreadSearch,
  ThreadStatus,
} from './thread-records.ts'
export type {
  DueWebhook,
  EndpointChange,
  NewDelivery,
  TakeWebhooks,
  TenantKey,
  WebhookDelivery,
  WebhookEndpoint,
  WebhookEvent,
  WebhookFate,
  WebhookKey,
  WebhookScope,
  Webhooks,
} from './webhooks.ts'
