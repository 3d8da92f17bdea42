// Their side: LangGraph.js with its PostgresSaver over `pg`, as its documentation sets it up.
// What it imports is installed in this folder only, so this file is loaded after `installed.ts` has seen to that.
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph'
import { ToolNode, toolsCondition } from '@langchain/langgraph/prebuilt'
import { PostgresSaver } from '@langchain/langgraph-checkpoint-postgres'
import { wordsFrom } from '../words.ts'
import { type Contestant, characters, type GraphName } from './contestant.ts'
import type { Wires } from './wires.ts'

/** `async`, the default, writes each superstep while the next one runs; `exit` writes at the end only, so that a crash loses the run. */
type Durability = 'async' | 'exit'

export interface LangGraph {
  contestant(durability: Durability): Contestant
  close(): Promise<void>
}

export async function langGraph(wires: Wires): Promise<LangGraph> {
  const saver = PostgresSaver.fromConnString(wires.urls.postgres)
  await saver.setup()
  const words = wordsFrom(7)
  const graphs = compiled(saver, words)
  let threads = 0

  const contestant = (durability: Durability): Contestant => ({
    // One write of all messages in place of a thousand turns, which take it six minutes and more. What a turn then reads and
    // writes is the same; what lies in the tables beside it is less.
    async grow(graph, turns) {
      const thread = `thread-${++threads}`
      const past = Array.from({ length: turns }, () => conversation(graph, words)).flat()
      await graphs[graph].updateState(addressOf(thread), { messages: past }, 'model')
      return thread
    },
    async turn(graph, thread, text) {
      await graphs[graph].invoke({ messages: [new HumanMessage(text)] }, { ...addressOf(thread), durability })
      return { afterwards: Promise.resolve() }
    },
    async read(graph, thread) {
      const { values } = await graphs[graph].getState(addressOf(thread))
      return values.messages.map(({ content }) => String(content))
    },
    taken() {
      const { statements, sentBytes, receivedBytes } = wires.postgres.taken()
      return { statements, bytes: sentBytes, sentBytes, receivedBytes }
    },
  })
  return { contestant, close: () => saver.end() }
}

function compiled(checkpointer: PostgresSaver, words: (length: number) => string) {
  const answer = () => ({ messages: [new AIMessage(words(characters))] })
  const ask = ({ messages }: { messages: BaseMessage[] }) =>
    messages.at(-1)?.type === 'human' ? { messages: [toolCall()] } : answer()
  const lookUp = tool(() => words(characters), {
    name: 'look_up',
    description: 'Looks up an order.',
    schema: { type: 'object', properties: { order: { type: 'string' } }, required: ['order'] },
  })
  const oneNode = new StateGraph(MessagesAnnotation)
    .addNode('model', answer)
    .addEdge(START, 'model')
    .addEdge('model', END)
  const agentToolsAgent = new StateGraph(MessagesAnnotation)
    .addNode('model', ask)
    .addNode('tools', new ToolNode([lookUp]))
    .addEdge(START, 'model')
    .addConditionalEdges('model', toolsCondition)
    .addEdge('tools', 'model')
  return { oneNode: oneNode.compile({ checkpointer }), agentToolsAgent: agentToolsAgent.compile({ checkpointer }) }
}

/** The messages of one turn, as the graph itself would write them. */
function conversation(graph: GraphName, words: (length: number) => string): BaseMessage[] {
  const question = new HumanMessage(words(characters))
  const answer = new AIMessage(words(characters))
  if (graph === 'oneNode') return [question, answer]
  const call = toolCall()
  const [{ id = '' } = {}] = call.tool_calls ?? []
  const result = new ToolMessage({ tool_call_id: id, name: 'look_up', content: words(characters) })
  return [question, call, result, answer]
}

let calls = 0

function toolCall(): AIMessage {
  return new AIMessage({ content: '', tool_calls: [{ id: `call-${++calls}`, name: 'look_up', args: { order: 'A1' } }] })
}

function addressOf(thread: string) {
  return { configurable: { thread_id: thread } }
}
