// The route table: everything that can be called. It feeds the application, its validation and its documents.
import { approvalWebhookRoutes } from './approval-webhook.ts'
import { approvalRoutes } from './approvals.ts'
import { assistantRoutes } from './assistants.ts'
import { chatRoutes } from './chat.ts'
import { healthRoutes } from './health.ts'
import { memoryRoutes } from './memories.ts'
import { metaRoutes } from './meta.ts'
import { reviewRoutes } from './review.ts'
import type { Route } from './route.ts'
import { runListRoutes } from './run-list.ts'
import { runReaderRoutes } from './run-readers.ts'
import { runRoutes } from './runs.ts'
import { stateRoutes } from './states.ts'
import { stepRoutes } from './steps.ts'
import { storeRoutes } from './store-items.ts'
import { threadRetentionRoutes } from './thread-retention.ts'
import { threadStreamRoutes } from './thread-stream.ts'
import { threadRoutes } from './threads.ts'
import { timeTravelRoutes } from './time-travel.ts'
import { webhookDeliveryRoutes } from './webhook-deliveries.ts'
import { webhookEndpointRoutes } from './webhook-endpoints.ts'
import { webhookKeyRoutes } from './webhook-keys.ts'

export const routes: readonly Route[] = [
  ...threadRoutes,
  ...threadRetentionRoutes,
  ...threadStreamRoutes,
  ...stateRoutes,
  ...timeTravelRoutes,
  ...stepRoutes,
  ...runRoutes,
  ...runListRoutes,
  ...runReaderRoutes,
  ...assistantRoutes,
  ...chatRoutes,
  ...storeRoutes,
  ...memoryRoutes,
  ...approvalRoutes,
  ...reviewRoutes,
  ...approvalWebhookRoutes,
  ...webhookEndpointRoutes,
  ...webhookDeliveryRoutes,
  ...webhookKeyRoutes,
  ...metaRoutes,
  ...healthRoutes,
]
