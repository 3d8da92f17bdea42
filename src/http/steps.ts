// Steps: how a checkpoint came about, as data and in plain words. It answers "why did the agent choose this tool here?".

import * as z from 'zod/mini'
import type { Graph } from '../graph/graph.ts'
import { isRecord } from '../kernel/json.ts'
import type { ToolMessage } from '../ports/model.ts'
import { type CallReport, readStep, type StepReport } from '../runtime/step.ts'
import { Approval, wireApproval } from './approvals.ts'
import { lazily, type Output } from './lazily.ts'
import { DateTime, Flag, Integer, Text } from './plain.ts'
import { type Route, route } from './route.ts'
import { Checkpoint, Interrupt, JsonObject } from './schemas.ts'
import { threadKeyOf } from './service.ts'
import { wordsOf } from './step-words.ts'
import { graphOfThread, wireCheckpoint, wireInterrupt } from './thread-view.ts'
import { recordOf } from './threads.ts'
import { ChannelChange, wireChange } from './time-travel.ts'
import { json } from './wire.ts'
import { messageChannels, wireMessage } from './wire-messages.ts'

const MessageRange = lazily(() =>
  z.strictObject({
    /** `null`: the node made the message itself. */
    channel: z.nullable(Text),
    from: Text,
    count: Integer,
    altered: Flag,
    /** `null` where the checkpoint before was pruned. */
    ids: z.nullable(z.array(Text)),
  }),
)

export const ModelCall = lazily(() =>
  z.strictObject({
    node: Text,
    model: z.nullable(Text),
    messages: z.array(MessageRange()),
    earlier_messages: Integer,
    system: z.nullable(z.strictObject({ characters: Integer, hash: Text })),
    memories: z.array(z.strictObject({ id: Text, version: Integer })),
    summary_id: z.nullable(Text),
    tools: z.array(Text),
    parameters: z.record(Text, z.number()),
    usage: z.nullable(z.strictObject({ input_tokens: Integer, output_tokens: Integer })),
    finish_reason: z.nullable(Text),
    error: z.nullable(Text),
    answer_id: z.nullable(Text),
    /** `null` where the node kept something else. */
    answer: z.nullable(JsonObject()),
  }),
)

const ToolResult = lazily(() =>
  z.strictObject({
    tool_call_id: Text,
    name: Text,
    status: z.enum(['success', 'error', 'denied']),
    content: Text,
  }),
)

export const Step = lazily(() =>
  z.strictObject({
    checkpoint: Checkpoint(),
    parent_checkpoint: z.nullable(Checkpoint()),
    run_id: Text,
    step: Integer,
    created_at: DateTime,
    /** The same as the rest, in sentences. */
    words: z.array(Text),
    nodes: z.array(Text),
    model_calls: z.array(ModelCall()),
    tool_results: z.array(ToolResult()),
    /** `null` where the checkpoint before was pruned. */
    changes: z.nullable(z.record(Text, ChannelChange())),
    approvals: z.array(Approval()),
    /** Asked here, and not answered yet. */
    interrupts: z.array(Interrupt()),
    next: z.array(Text),
  }),
)

export const stepRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/threads/:thread_id/steps/:checkpoint_id',
    scopes: ['chat', 'operate'],
    tag: 'States',
    summary: 'How a checkpoint came about',
    description:
      'The nodes that ran, what each call of a model saw and answered, what the tools gave, what was asked and who answered. Messages that were in view are named by their ids; the state at the checkpoint before has them.',
    responses: { 200: { description: 'The step', schema: Step } },
    handle: async (call) => {
      const { thread_id: thread, checkpoint_id: checkpoint } = call.parameters
      const { graph } = graphOfThread(call.service, await recordOf(call, thread))
      const { tenant, owner: user } = threadKeyOf(call.principal, thread)
      const reading = readStep(call.service.checkpointer, graph, { tenant, thread, user }, checkpoint)
      return json(wireStep(graph, thread, await call.timing.measure('storage', reading)))
    },
  }),
]

function wireStep(graph: Graph, thread: string, report: StepReport): Output<typeof Step> {
  const { at, nodes, calls, changes, approvals } = report
  const shown = Object.entries(changes?.channels ?? {}).map(([name, change]) => [name, wireChange(graph, name, change)])
  const step = {
    checkpoint: wireCheckpoint(thread, at.checkpoint),
    parent_checkpoint: at.parent === undefined ? null : wireCheckpoint(thread, at.parent),
    run_id: at.run,
    step: at.step,
    created_at: at.createdAt,
    nodes: [...nodes],
    model_calls: calls.map(wireCall),
    tool_results: toolResults(graph, report),
    changes: changes === undefined ? null : Object.fromEntries(shown),
    approvals: approvals.map(wireApproval),
    interrupts: at.interrupts.map(wireInterrupt),
    next: [...at.next],
  }
  return { ...step, words: wordsOf(step) }
}

function wireCall(call: CallReport): Output<typeof ModelCall> {
  const { node, model = null, view, earlier, system = null, memories = [], summary = null, usage, answer } = call
  return {
    ...{ node, model, earlier_messages: earlier, system, memories: [...memories], summary_id: summary },
    messages: view.map(({ ids, ...range }) => ({ ...range, ids: ids === undefined ? null : [...ids] })),
    tools: [...call.tools],
    parameters: { ...call.parameters },
    usage: usage === undefined ? null : { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
    finish_reason: call.finishReason ?? null,
    error: call.error ?? null,
    answer_id: call.reply ?? null,
    answer: answer === undefined ? null : wireMessage(answer),
  }
}

function toolResults(graph: Graph, { changes }: StepReport): Output<typeof ToolResult>[] {
  return [...messageChannels(graph)].flatMap((channel) => {
    const change = changes?.channels[channel]
    const added = change?.kind === 'list' ? change.added : []
    return added.filter(isToolMessage).map(({ toolCallId, name, status, content }) => {
      return { tool_call_id: toolCallId, name, status, content }
    })
  })
}

function isToolMessage(element: unknown): element is ToolMessage {
  return isRecord(element) && element.role === 'tool'
}
