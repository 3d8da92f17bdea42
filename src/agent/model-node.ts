// The node that asks the model: with what came before the conversation, as much of it as fits, and the tools it may call.
import type { PlainNode } from '../graph/node.ts'
import type { RecalledRef } from '../memory/recalled-text.ts'
import type { AssistantMessage, Message } from '../ports/model.ts'
import type { Context } from '../runtime/context.ts'
import { bytesIn, bytesOf } from './token-count.ts'
import type { Tool } from './tool.ts'
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
  /** What it may call: give the same to `toolNode`. */
  readonly tools?: readonly Tool[]
  /** What the model sees of the conversation. All of it unless told otherwise; the thread keeps all of it in any case. */
  readonly trim?: Trim
  /** As the model's service takes it. Its own unless told otherwise. */
  readonly temperature?: number
  /** Tokens of one answer at most. As many as the model's service allows unless told otherwise. */
  readonly maxOutputTokens?: number
  /** How long one answer may take, in milliseconds. 60,000 unless told otherwise. */
  readonly timeoutMs?: number
}

export type Summarizing = ModelNodeOptions & { readonly trim: SummaryTrim }
export type Plain = ModelNodeOptions & { readonly trim?: PlainTrim }
type Told = { readonly messages: readonly Message[]; readonly recalled?: readonly RecalledRef[] }
type ModelNode<State> = PlainNode<Told & State, { messages: AssistantMessage }, Context>

/**
 * A node that gives the model's answer to the conversation, and to what stands in a channel `recalled` where there is one. Pure: it
 * has no effect but its message. Throws `graph_invalid` for a `trim` that is none; the node throws what `model.reply` throws.
 */
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
    run: async ({ messages, summary: latest, recalled = [] }, { model }) => {
      if (trim === undefined) return { messages: await model.reply(messages, { ...reply, recalled }) }
      const summary = summarizing ? currentSummary({ messages, summary: latest }) : undefined
      const view = await trimmed(messages, trim, summary)
      const answer = await model.reply(view, { ...reply, summary, recalled })
      if (!weighing || answer.usage === undefined) return { messages: answer }
      const inputBytes = view.reduce(
        (sum, message) => sum + bytesOf(message),
        fixedBytes + bytesIn(summary?.text ?? ''),
      )
      return { messages: { ...answer, usage: { ...answer.usage, inputBytes } } }
    },
  }
}
