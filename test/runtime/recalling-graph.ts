// A graph that recalls before it replies, and what its model is told.
import { messages, recalled, recallNode, StateGraph } from '../../src/index.ts'
import type { ModelRequest } from '../../src/ports/index.ts'

export const alex = { tenant: 'acme', user: 'alex' }

export const graph = new StateGraph({
  state: { messages: messages(), recalled: recalled() },
  nodes: {
    recall: recallNode(),
    reply: {
      pure: true,
      run: async (state, { model }) => ({ messages: await model.reply(state.messages, { recalled: state.recalled }) }),
    },
  },
  edges: { start: 'recall', recall: 'reply' },
})

export const promptOf = (request: ModelRequest | undefined) => (request?.messages ?? []).map(({ content }) => content)
