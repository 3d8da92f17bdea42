// The shapes of the LangGraph wire that several routes share. Exported names are the names in the OpenAPI document.
import * as z from 'zod/mini'

/** Any JSON object. */
export const JsonObject = z.record(z.string(), z.unknown())

export const Metadata = z.record(z.string(), z.unknown())

export const ProblemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  retryable: z.boolean(),
  retryAfterMs: z.optional(z.int()),
  details: z.optional(JsonObject),
})

export const ThreadStatus = z.enum(['idle', 'busy', 'interrupted', 'error'])

/** A question that nobody has answered. `id` is that of its approval, `value` what is shown. */
export const Interrupt = z.strictObject({ id: z.string(), value: z.unknown(), kind: z.string(), node: z.string() })

export const Thread = z.strictObject({
  thread_id: z.string(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  state_updated_at: z.iso.datetime(),
  metadata: Metadata,
  status: ThreadStatus,
  config: JsonObject,
  values: JsonObject,
  /** By the task that has asked. */
  interrupts: z.record(z.string(), z.array(Interrupt)),
})

/** A thread as a search with `select` gives it. */
export const PartialThread = z.partial(Thread)

export const Checkpoint = z.strictObject({
  thread_id: z.string(),
  checkpoint_ns: z.string(),
  checkpoint_id: z.nullable(z.string()),
  checkpoint_map: z.nullable(JsonObject),
})

export const ThreadTask = z.strictObject({
  id: z.string(),
  name: z.string(),
  path: z.array(z.union([z.string(), z.int()])),
  error: z.null(),
  interrupts: z.array(Interrupt),
  checkpoint: z.null(),
  state: z.null(),
  result: z.null(),
})

export const ThreadState = z.strictObject({
  values: JsonObject,
  next: z.array(z.string()),
  tasks: z.array(ThreadTask),
  metadata: JsonObject,
  created_at: z.nullable(z.iso.datetime()),
  checkpoint: Checkpoint,
  parent_checkpoint: z.nullable(Checkpoint),
  interrupts: z.array(Interrupt),
})

export const Run = z.strictObject({
  run_id: z.string(),
  thread_id: z.string(),
  assistant_id: z.string(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  status: z.enum(['pending', 'running', 'error', 'success', 'timeout', 'interrupted']),
  metadata: Metadata,
  kwargs: JsonObject,
  multitask_strategy: z.literal('reject'),
})

export const Assistant = z.strictObject({
  assistant_id: z.string(),
  graph_id: z.string(),
  name: z.string(),
  description: z.string(),
  config: JsonObject,
  context: JsonObject,
  metadata: Metadata,
  version: z.int(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
})

/** How many, and from where: as numbers in a body. */
export const limit = (max: number) => z._default(z.int().check(z.minimum(1), z.maximum(max)), 10)
export const offset = z._default(z.int().check(z.minimum(0), z.maximum(1_000_000)), 0)

/** The same as text in a query. */
export const numberText = z.optional(z.string().check(z.regex(/^\d{1,7}$/, 'must be a whole number, 0 or more')))

/** Absent or null. */
export const maybe = <S extends z.ZodMiniType>(schema: S) => z.optional(z.nullable(schema))
