// The node that runs the tools a model asked for, once whoever has to has approved them.
import type { PlainNode } from '../graph/node.ts'
import { didYouMean, isRecollectError, messageOf, RecollectError } from '../kernel/errors.ts'
import type { Message, ToolCall, ToolMessage } from '../ports/model.ts'
import type { Context } from '../runtime/context.ts'
import { innerContext } from './inner-context.ts'
import type { PreparedCall, Tool, ToolContext } from './tool.ts'
import { type ToolApproval, toolApproval } from './tool-approval.ts'

type NewToolMessage = Omit<ToolMessage, 'id'>

/**
 * Runs every open call of the last message at once, after every approval that one of them needs was given (T6). A call that
 * fails is answered with its failure, and so is a rejected one, an unknown tool, or bad arguments: the model reads it and can
 * mend it. A call is made at least once; a tool that must not act twice passes on `context.idempotencyKey`. Throws `graph_invalid` for
 * two tools of one name.
 */
export function toolNode(
  tools: readonly Tool[],
): PlainNode<{ readonly messages: readonly Message[] }, { messages: NewToolMessage[] }, Context> {
  const byName = new Map(tools.map((tool) => [tool.name, tool]))
  if (byName.size < tools.length) {
    const name = tools.find((tool) => byName.get(tool.name) !== tool)?.name
    throw new RecollectError('graph_invalid', `Two tools are called "${name}": a model could not tell them apart.`)
  }
  const approval = toolApproval(byName)
  return {
    interrupts: [approval],
    requires: tools.flatMap(({ requires = [] }) => requires),
    run: async ({ messages }, context) => {
      const latest = messages.at(-1)
      const calls = latest?.role === 'assistant' ? (latest.toolCalls ?? []) : []
      const ready = await Promise.all(calls.map((call) => decided(byName, approval, call, context)))
      return { messages: await Promise.all(ready.map((answer) => answer())) }
    },
  }
}

/** Makes the call, or already knows its answer. */
type Ready = () => Promise<NewToolMessage>

async function decided(
  tools: ReadonlyMap<string, Tool>,
  approval: ToolApproval,
  call: ToolCall,
  context: Context,
): Promise<Ready> {
  const told = (content: string, status: ToolMessage['status']): NewToolMessage => {
    return { role: 'tool', toolCallId: call.id, name: call.name, content, status }
  }
  const failed = (error: unknown) => {
    // Of a run that is being stopped, the tool's failure is no answer; nor is that what it did could not be kept.
    if (context.signal.aborted || isOfRun(error)) throw error
    return told(isRecollectError(error) ? error.message : `${call.name} failed: ${messageOf(error)}`, 'error')
  }
  try {
    const verdict = await verdictOn(call, { tools, approval, context })
    if ('refusal' in verdict) return async () => told(verdict.refusal, verdict.status)
    if ('text' in verdict) return async () => told(verdict.text, 'success')
    return () => verdict.run(callContext(context, call.id)).then((text) => told(text, 'success'), failed)
  } catch (error) {
    const message = failed(error)
    return async () => message
  }
}

/** What the tool used of the runtime failed, and not the tool: a model can mend nothing there. */
function isOfRun(error: unknown): boolean {
  return isRecollectError(error) && /^(storage|run)_/.test(error.code)
}

interface Deciding {
  readonly tools: ReadonlyMap<string, Tool>
  readonly approval: ToolApproval
  readonly context: Context
}

interface Refusal {
  readonly refusal: string
  readonly status: 'error' | 'denied'
}

/** The call to make; or what the model is told in its place. */
async function verdictOn(
  { id, name, arguments: text }: ToolCall,
  { tools, approval, context }: Deciding,
): Promise<PreparedCall | Refusal | { readonly text: string }> {
  const tool = tools.get(name)
  if (tool === undefined) {
    const names = [...tools.keys()]
    const refusal = `There is no tool "${name}"${didYouMean(name, names)}. The tools are: ${names.join(', ')}.`
    return { refusal, status: 'error' }
  }
  let call = await tool.prepare(text)
  for (let terms = call.approval; terms !== undefined; ) {
    const shown = { tool: name, description: tool.description, callId: id, arguments: call.arguments }
    const answer = await context.interrupt(approval, shown, terms)
    switch (answer.decision) {
      case 'approve':
        return call
      case 'reject':
        return {
          refusal: `A person was asked and did not approve ${name}${answer.reason ? `: ${answer.reason}` : '.'}`,
          status: 'denied',
        }
      case 'respond':
        return { text: answer.text }
      case 'edit':
        // What runs is what was shown: other arguments are another question, also where the tool itself would not ask it.
        call = await tool.prepare(JSON.stringify(answer.arguments))
        terms = call.approval ?? terms
    }
  }
  return call
}

function callContext(context: Context, toolCallId: string): ToolContext {
  return Object.defineProperty(innerContext(context, toolCallId), 'toolCallId', { value: toolCallId }) as ToolContext
}
