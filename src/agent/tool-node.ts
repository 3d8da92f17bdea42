// The node that runs the tools a model asked for.
import type { PlainNode } from '../graph/node.ts'
import { didYouMean, isRecollectError, messageOf, RecollectError } from '../kernel/errors.ts'
import type { Message, ToolCall, ToolMessage } from '../ports/model.ts'
import type { Context } from '../runtime/context.ts'
import type { Tool, ToolContext } from './tool.ts'

type NewToolMessage = Omit<ToolMessage, 'id'>

/**
 * Runs every open call of the last message at once. A call that fails is answered with its failure, and so is an unknown
 * tool or bad arguments: the model reads it and can mend it. A call is made at least once; a tool that must not act
 * twice passes on `context.idempotencyKey`.
 */
export function toolNode(
  tools: readonly Tool[],
): PlainNode<{ readonly messages: readonly Message[] }, { messages: NewToolMessage[] }, Context> {
  const byName = new Map(tools.map((tool) => [tool.name, tool]))
  if (byName.size < tools.length) {
    const name = tools.find((tool) => byName.get(tool.name) !== tool)?.name
    throw new RecollectError('graph_invalid', `Two tools are called "${name}": a model could not tell them apart.`)
  }
  return {
    ...(tools.some(({ approval }) => approval !== false) && { requires: ['approvals'] }),
    run: async ({ messages }, context) => {
      const latest = messages.at(-1)
      const calls = latest?.role === 'assistant' ? (latest.toolCalls ?? []) : []
      return { messages: await Promise.all(calls.map((call) => answer(byName, call, context))) }
    },
  }
}

async function answer(tools: ReadonlyMap<string, Tool>, call: ToolCall, context: Context): Promise<NewToolMessage> {
  const base = { role: 'tool', toolCallId: call.id, name: call.name } as const
  const tool = tools.get(call.name)
  if (tool === undefined) {
    const names = [...tools.keys()]
    const content = `There is no tool "${call.name}"${didYouMean(call.name, names)}. The tools are: ${names.join(', ')}.`
    return { ...base, content, status: 'error' }
  }
  try {
    return { ...base, content: await tool.call(call.arguments, callContext(context, call.id)), status: 'success' }
  } catch (error) {
    // Of a run that is being stopped, the tool's failure is no answer.
    if (context.signal.aborted) throw error
    const content = isRecollectError(error) ? error.message : `${call.name} failed: ${messageOf(error)}`
    return { ...base, content, status: 'error' }
  }
}

/** The node's context with a key of its own for this call. Spelled out: its parts are getters of a class. */
function callContext(context: Context, toolCallId: string): ToolContext {
  const { tenant, user, thread, run, step, node, attempt, env } = context
  return {
    ...{ tenant, user, thread, run, step, node, attempt, env, toolCallId },
    idempotencyKey: `${context.idempotencyKey}:${toolCallId}`,
    get signal() {
      return context.signal
    },
    get model() {
      return context.model
    },
    emit: (name, data) => context.emit(name, data),
    // Two calls of one tool may use the same key.
    task: (key, make) => context.task(`${toolCallId}/${key}`, make),
    outbox: (topic, payload) => context.outbox(topic, payload),
  }
}
