// The part of LangGraph.js that the bench uses, so that types are checked where it is not installed. Its packages have types
// of their own, but nothing here may lean on a folder that a newcomer does not have.

declare module '@langchain/langgraph' {
  import type { BaseMessage } from '@langchain/core/messages'

  interface MessagesState {
    messages: BaseMessage[]
  }

  interface Config {
    configurable: { thread_id: string }
    durability?: 'async' | 'sync' | 'exit'
  }

  interface CompiledStateGraph {
    invoke(input: MessagesState, config: Config): Promise<MessagesState>
    updateState(config: Config, values: MessagesState, asNode: string): Promise<unknown>
    getState(config: Config): Promise<{ values: MessagesState }>
  }

  type Node = ((state: MessagesState) => MessagesState) | import('@langchain/langgraph/prebuilt').ToolNode

  export const START: string
  export const END: string
  export const MessagesAnnotation: { readonly State: MessagesState }

  export class StateGraph {
    constructor(state: typeof MessagesAnnotation)
    addNode(name: string, node: Node): this
    addEdge(from: string, to: string): this
    addConditionalEdges(from: string, route: (state: MessagesState) => string): this
    compile(options: { checkpointer: object }): CompiledStateGraph
  }
}

declare module '@langchain/langgraph/prebuilt' {
  import type { StructuredToolInterface } from '@langchain/core/tools'
  import type { MessagesState } from '@langchain/langgraph'

  export class ToolNode {
    constructor(tools: StructuredToolInterface[])
    readonly name: string
  }

  export function toolsCondition(state: MessagesState): string
}

declare module '@langchain/langgraph-checkpoint-postgres' {
  export class PostgresSaver {
    static fromConnString(connectionString: string): PostgresSaver
    setup(): Promise<void>
    end(): Promise<void>
  }
}
