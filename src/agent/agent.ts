// The usual agent: a model that may call tools until it has an answer.
import { END } from '../graph/command.ts'
import type { PlainNode } from '../graph/node.ts'
import type { AssistantMessage, Message } from '../ports/model.ts'
import type { Context } from '../runtime/context.ts'
import { StateGraph } from '../runtime/state-graph.ts'
import { callsTools, messages } from './messages.ts'
import { summarizeNode, summary } from './summary.ts'
import { bytesIn, bytesOf } from './token-count.ts'
import type { Tool } from './tool.ts'
import { toolNode } from './tool-node.ts'
import {
  countsByUsage,
  currentSummary,
  needsSummary,
  type PlainTrim,
  type Summary,
  type SummaryTrim,
  type Trim,
  trimmed,
} from './trim.ts'

export interface ModelNodeOptions {
  /** Goes before the conversation at every call, and into no thread. */
  readonly system?: string
  readonly tools?: readonly Tool[]
  /** What the model sees of the conversation. All of it unless told otherwise; the thread keeps all of it in any case. */
  readonly trim?: Trim
  readonly temperature?: number
  readonly maxOutputTokens?: number
  /** How long one answer may take. 60,000 unless told otherwise. */
  readonly timeoutMs?: number
}

type Summarizing = ModelNodeOptions & { readonly trim: SummaryTrim }
type Plain = ModelNodeOptions & { readonly trim?: PlainTrim }
type ModelNode<State> = PlainNode<
  { readonly messages: readonly Message[] } & State,
  { messages: AssistantMessage },
  Context
>

/** A node that gives the model's answer to the conversation. Pure: it has no effect but its message. */
export function modelNode(options: Summarizing): ModelNode<{ readonly summary: Summary | undefined }>
export function modelNode(options?: Plain): ModelNode<unknown>
export function modelNode({
  timeoutMs,
  trim,
  ...reply
}: ModelNodeOptions = {}): ModelNode<{ readonly summary?: Summary | undefined }> {
  const summarizing = needsSummary(trim)
  const weighing = countsByUsage(trim)
  const fixedBytes = bytesIn((reply.system ?? '') + JSON.stringify(reply.tools ?? []))
  return {
    pure: true,
    requires: ['model'],
    ...(timeoutMs !== undefined && { timeoutMs }),
    run: async ({ messages, summary: latest }, { model }) => {
      if (trim === undefined) return { messages: await model.reply(messages, reply) }
      const summary = summarizing ? currentSummary({ messages, summary: latest }) : undefined
      const view = await trimmed(messages, trim, summary)
      const answer = await model.reply(view, { ...reply, summary })
      if (!weighing || answer.usage === undefined) return { messages: answer }
      const inputBytes = view.reduce(
        (sum, message) => sum + bytesOf(message),
        fixedBytes + bytesIn(summary?.text ?? ''),
      )
      return { messages: { ...answer, usage: { ...answer.usage, inputBytes } } }
    },
  }
}

/**
 * A graph of two nodes, `model` and `tools`, on the channel `messages`; with a summary also `summarize`, and the channel `summary`.
 * Write your own when you need more: it is as short as this one.
 */
export function agent(options: Summarizing): ReturnType<typeof summarizingAgent>
export function agent(options?: Plain): ReturnType<typeof plainAgent>
export function agent(
  options: Summarizing | Plain = {},
): ReturnType<typeof summarizingAgent> | ReturnType<typeof plainAgent> {
  return isSummarizing(options) ? summarizingAgent(options) : plainAgent(options)
}

function plainAgent({ tools = [], ...options }: Plain) {
  return new StateGraph({
    state: { messages: messages() },
    nodes: { model: modelNode({ tools, ...options }), tools: toolNode(tools) },
    edges: { start: 'model', model: (state) => (callsTools(state) ? 'tools' : END), tools: 'model' },
  })
}

function summarizingAgent({ tools = [], ...options }: Summarizing) {
  return new StateGraph({
    state: { messages: messages(), summary: summary() },
    nodes: {
      model: modelNode({ tools, ...options }),
      tools: toolNode(tools),
      summarize: summarizeNode(options.trim),
    },
    edges: {
      start: ['model', 'summarize'],
      model: (state) => (callsTools(state) ? 'tools' : END),
      tools: 'model',
    },
  })
}

function isSummarizing(options: Summarizing | Plain): options is Summarizing {
  return needsSummary(options.trim)
}
