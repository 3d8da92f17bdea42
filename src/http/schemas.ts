// The shapes of the LangGraph wire that several routes share. Exported names are the names in the OpenAPI document.

import * as z from 'zod/mini'
import { lazily } from './lazily.ts'
import { Anything, DateTime, Flag, Integer, Text } from './plain.ts'

/** Any JSON object. */
export const JsonObject = lazily(() => z.record(Text, Anything))

export const Metadata = lazily(() => z.record(Text, Anything))

export const ProblemSchema = lazily(() =>
  z.object({
    type: Text,
    title: Text,
    status: Integer,
    detail: Text,
    code: Text,
    retryable: Flag,
    retryAfterMs: z.optional(Integer),
    details: z.optional(JsonObject()),
  }),
)

export const ThreadStatus = lazily(() => z.enum(['idle', 'busy', 'interrupted', 'error']))

/** A question that nobody has answered. `id` is that of its approval, `value` what is shown. */
export const Interrupt = lazily(() => z.strictObject({ id: Text, value: Anything, kind: Text, node: Text }))

export const Thread = lazily(() =>
  z.strictObject({
    thread_id: Text,
    created_at: DateTime,
    updated_at: DateTime,
    state_updated_at: DateTime,
    metadata: Metadata(),
    status: ThreadStatus(),
    config: JsonObject(),
    values: JsonObject(),
    /** By the task that has asked. */
    interrupts: z.record(Text, z.array(Interrupt())),
  }),
)

/** A thread as a search with `select` gives it. */
export const PartialThread = lazily(() => z.partial(Thread()))

export const Checkpoint = lazily(() =>
  z.strictObject({
    thread_id: Text,
    checkpoint_ns: Text,
    checkpoint_id: z.nullable(Text),
    checkpoint_map: z.nullable(JsonObject()),
  }),
)

export const ThreadTask = lazily(() =>
  z.strictObject({
    id: Text,
    name: Text,
    path: z.array(z.union([Text, Integer])),
    error: z.null(),
    interrupts: z.array(Interrupt()),
    checkpoint: z.null(),
    state: z.null(),
    result: z.null(),
  }),
)

export const ThreadState = lazily(() =>
  z.strictObject({
    values: JsonObject(),
    next: z.array(Text),
    tasks: z.array(ThreadTask()),
    metadata: JsonObject(),
    created_at: z.nullable(DateTime),
    checkpoint: Checkpoint(),
    parent_checkpoint: z.nullable(Checkpoint()),
    interrupts: z.array(Interrupt()),
  }),
)

export const Run = lazily(() =>
  z.strictObject({
    run_id: Text,
    thread_id: Text,
    assistant_id: Text,
    created_at: DateTime,
    updated_at: DateTime,
    status: z.enum(['pending', 'running', 'error', 'success', 'timeout', 'interrupted']),
    metadata: Metadata(),
    kwargs: JsonObject(),
    multitask_strategy: z.literal('reject'),
  }),
)

export const Assistant = lazily(() =>
  z.strictObject({
    assistant_id: Text,
    graph_id: Text,
    name: Text,
    description: Text,
    config: JsonObject(),
    context: JsonObject(),
    metadata: Metadata(),
    version: Integer,
    created_at: DateTime,
    updated_at: DateTime,
  }),
)

/** How many, and from where: as numbers in a body. */
export const limit = (max: number) => z._default(z.int().check(z.minimum(1), z.maximum(max)), 10)
export const offset = lazily(() => z._default(z.int().check(z.minimum(0), z.maximum(1_000_000)), 0))

/** The same as text in a query. */
export const numberText = lazily(() =>
  z.optional(z.string().check(z.regex(/^\d{1,7}$/, 'must be a whole number, 0 or more'))),
)

/** Absent or null. */
export const maybe = <S extends z.ZodMiniType>(schema: S) => z.optional(z.nullable(schema))
