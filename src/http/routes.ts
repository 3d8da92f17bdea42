// The route table: everything that can be called. It feeds the application, its validation and its documents.
import { approvalWebhookRoutes } from './approval-webhook.ts'
import { approvalRoutes } from './approvals.ts'
import { assistantRoutes } from './assistants.ts'
import { chatRoutes } from './chat.ts'
import { healthRoutes } from './health.ts'
import { memoryRoutes } from './memories.ts'
import { metaRoutes } from './meta.ts'
import type { Route } from './route.ts'
import { runListRoutes } from './run-list.ts'
import { runReaderRoutes } from './run-readers.ts'
import { runRoutes } from './runs.ts'
import { stateRoutes } from './states.ts'
import { storeRoutes } from './store-items.ts'
import { threadRetentionRoutes } from './thread-retention.ts'
import { threadRoutes } from './threads.ts'

export const routes: readonly Route[] = [
  ...threadRoutes,
  ...threadRetentionRoutes,
  ...stateRoutes,
  ...runRoutes,
  ...runListRoutes,
  ...runReaderRoutes,
  ...assistantRoutes,
  ...chatRoutes,
  ...storeRoutes,
  ...memoryRoutes,
  ...approvalRoutes,
  ...approvalWebhookRoutes,
  ...metaRoutes,
  ...healthRoutes,
]
