// The usual agent: a model that may call tools until it has an answer; with a summary of what no longer fits, with what is remembered.
import { END } from '../graph/command.ts'
import type { Message } from '../ports/model.ts'
import { StateGraph } from '../runtime/state-graph.ts'
import { callsTools, messages } from './messages.ts'
import { type ModelNodeOptions, modelNode, type Plain, type Summarizing } from './model-node.ts'
import { type RecallNodeOptions, recalled, recallNode } from './recalled.ts'
import { summarizeNode, summary } from './summary.ts'
import { toolNode } from './tool-node.ts'
import { needsSummary } from './trim.ts'

interface Recalling {
  /** Before each answer, what is remembered and near what the person said: of them, with `true`. Needs a store. */
  readonly recall: true | RecallNodeOptions
}

/**
 * A graph of two nodes, `model` and `tools`, on the channel `messages`; with `recall` also a node and a channel for it, `recall` and
 * `recalled`; with a summary `summarize` and `summary`. Write your own when you need more: it is as short as these. Throws
 * `graph_invalid` for two tools of one name or a `trim` that is none, `id_invalid` for what is no namespace.
 */
export function agent(options: Summarizing & Recalling): ReturnType<typeof summarizingRecallingAgent>
export function agent(options: Summarizing): ReturnType<typeof summarizingAgent>
export function agent(options: Plain & Recalling): ReturnType<typeof recallingAgent>
export function agent(options?: Plain): ReturnType<typeof plainAgent>
export function agent(options: AgentOptions): AnyAgent
export function agent({ recall, trim, ...others }: AgentOptions = {}): AnyAgent {
  if (needsSummary(trim)) {
    const options = { ...others, trim }
    return recall ? summarizingRecallingAgent({ ...options, recall }) : summarizingAgent(options)
  }
  const options = { ...others, ...(trim !== undefined && { trim }) }
  return recall ? recallingAgent({ ...options, recall }) : plainAgent(options)
}

/** Last of the overloads, so that a mistake is told where it stands. */
type AgentOptions = ModelNodeOptions & { readonly recall?: boolean | RecallNodeOptions }
type AnyAgent = ReturnType<
  typeof plainAgent | typeof recallingAgent | typeof summarizingAgent | typeof summarizingRecallingAgent
>

const orEnd = (state: { readonly messages: readonly Message[] }) => (callsTools(state) ? 'tools' : END)

function plainAgent({ tools = [], ...options }: Plain) {
  return new StateGraph({
    state: { messages: messages() },
    nodes: { model: modelNode({ tools, ...options }), tools: toolNode(tools) },
    edges: { start: 'model', model: orEnd, tools: 'model' },
  })
}

function recallingAgent({ tools = [], recall, ...options }: Plain & Recalling) {
  return new StateGraph({
    state: { messages: messages(), recalled: recalled() },
    nodes: { recall: recallingNode(recall), model: modelNode({ tools, ...options }), tools: toolNode(tools) },
    edges: { start: 'recall', recall: 'model', model: orEnd, tools: 'model' },
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
    edges: { start: ['model', 'summarize'], model: orEnd, tools: 'model' },
  })
}

function summarizingRecallingAgent({ tools = [], recall, ...options }: Summarizing & Recalling) {
  return new StateGraph({
    state: { messages: messages(), summary: summary(), recalled: recalled() },
    nodes: {
      recall: recallingNode(recall),
      model: modelNode({ tools, ...options }),
      tools: toolNode(tools),
      summarize: summarizeNode(options.trim),
    },
    edges: { start: 'recall', recall: ['model', 'summarize'], model: orEnd, tools: 'model' },
  })
}

function recallingNode(recall: Recalling['recall']) {
  return recallNode(recall === true ? {} : recall)
}
