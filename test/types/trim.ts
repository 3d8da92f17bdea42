// What must and must not compile where a conversation is trimmed. Checked by `tsc`; nothing here runs.
import { agent, last, messages, modelNode, StateGraph, summarizeNode, summary, trimmed } from '../../src/index.ts'

agent({ trim: 'turns' })
agent({ trim: 'tokens' })
agent({ trim: { turns: 20 } })
agent({ trim: { tokens: 8_000, countTokens: (text) => text.length } })
agent({ trim: { turns: 20, tokens: 8_000, countTokens: async (text) => text.length } })
agent({ trim: (messages) => messages.slice(-10) })
agent({ trim: async (messages, { tokensOf }) => messages.filter((message) => tokensOf(message) < 100) })
trimmed([], { turns: 3 })

// @ts-expect-error not one of the words
agent({ trim: 'turn' })
// @ts-expect-error not a number
agent({ trim: { turns: '20' } })
// @ts-expect-error an unknown limit
agent({ trim: { messages: 20 } })
// @ts-expect-error a tokenizer that gives the tokens and not their number
agent({ trim: { tokens: 8_000, countTokens: (text: string) => text.split(' ') } })
// @ts-expect-error a function that gives no messages
agent({ trim: () => 'all' })

const compiled = agent({ trim: { turns: 20, summary: { tokens: 300 } } }).compile()
const count: Promise<number | undefined> = compiled.invoke({}).then((state) => state.summary?.count)
agent({ trim: 'summary' }).compile().invoke({ messages: [] })
agent({ trim: 'turns' })
  .compile()
  .invoke({})
  // @ts-expect-error without a summary there is no channel for it
  .then((state) => state.summary)

new StateGraph({
  state: { messages: messages(), summary: summary() },
  nodes: { reply: modelNode({ trim: 'summary' }), summarize: summarizeNode('summary') },
  edges: { start: ['reply', 'summarize'] },
})

new StateGraph({
  state: { messages: messages() },
  // @ts-expect-error the graph has no channel for the summary
  nodes: { reply: modelNode({ trim: 'summary' }) },
  edges: { start: 'reply' },
})

new StateGraph({
  state: { messages: messages(), summary: last('') },
  // @ts-expect-error the channel is another
  nodes: { summarize: summarizeNode() },
  edges: { start: 'summarize' },
})

// A channel of that name is its graph's own where nothing is summarized.
new StateGraph({
  state: { messages: messages(), summary: last('') },
  nodes: { reply: modelNode({ trim: 'turns' }) },
  edges: { start: 'reply' },
})

export { count }
