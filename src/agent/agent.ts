// The usual agent: a model that may call tools until it has an answer.
import { END } from '../graph/command.ts'
import type { PlainNode } from '../graph/node.ts'
import type { AssistantMessage, Message } from '../ports/model.ts'
import type { Context } from '../runtime/context.ts'
import { StateGraph } from '../runtime/state-graph.ts'
import { callsTools, messages } from './messages.ts'
import type { Tool } from './tool.ts'
import { toolNode } from './tool-node.ts'

export interface ModelNodeOptions {
  /** Goes before the conversation at every call, and into no thread. */
  readonly system?: string
  readonly tools?: readonly Tool[]
  readonly temperature?: number
  readonly maxOutputTokens?: number
  /** How long one answer may take. 60,000 unless told otherwise. */
  readonly timeoutMs?: number
}

/** A node that gives the model's answer to the conversation. Pure: it has no effect but its message. */
export function modelNode({
  timeoutMs,
  ...reply
}: ModelNodeOptions = {}): PlainNode<
  { readonly messages: readonly Message[] },
  { messages: AssistantMessage },
  Context
> {
  return {
    pure: true,
    requires: ['model'],
    ...(timeoutMs !== undefined && { timeoutMs }),
    run: async ({ messages }, { model }) => ({ messages: await model.reply(messages, reply) }),
  }
}

/** A graph of two nodes, `model` and `tools`, on the channel `messages`. Write your own when you need more: it is as short as this one. */
export function agent({ tools = [], ...options }: ModelNodeOptions = {}) {
  return new StateGraph({
    state: { messages: messages() },
    nodes: { model: modelNode({ tools, ...options }), tools: toolNode(tools) },
    edges: { start: 'model', model: (state) => (callsTools(state) ? 'tools' : END), tools: 'model' },
  })
}
