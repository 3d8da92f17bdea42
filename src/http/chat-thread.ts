// A thread as a chat page shows it: what was said and kept, and a message that is being answered just now.
import { isRecord } from '../kernel/json.ts'
import type { Message } from '../ports/model.ts'
import type { CompiledGraph } from '../runtime/compiled-graph.ts'
import type { StateSnapshot, ThreadAddress } from '../runtime/history.ts'
import type { Call } from './route.ts'
import type { RunningTurn } from './running-turns.ts'
import type { Service } from './service.ts'
import { messagesOf, type UiMessage, uiMessages, uiUserMessage, withoutAnswerOf } from './ui-messages.ts'

type Here = Pick<Call, 'service' | 'turns'>

/** Without the unfinished answer of a turn that runs: clients put its replay beside what they have of it. */
export async function shownMessages(call: Here, address: ThreadAddress): Promise<readonly UiMessage[]> {
  const { turn, snapshot } = await atOneMoment(call, address)
  const messages = messagesOf(snapshot.values)
  if (turn?.run !== undefined) return [...uiMessages(withoutAnswerOf(turn.run, messages)), ...pending(turn, messages)]
  if (snapshot.next.length === 0) return uiMessages(messages)
  // Nodes are due: a turn runs elsewhere, or one failed and what it had done so far was kept.
  const record = await call.service.checkpointer.threads.get({ ...address, owner: address.user })
  if (record?.status === 'busy') return uiMessages(withoutAnswerOf(snapshot.run, messages))
  const settled = await stateOf(call.service, address)
  return uiMessages(messagesOf(settled.values))
}

/** Read again when a turn has begun or ended meanwhile: what is in the state of it would be unknown. */
async function atOneMoment({ service, turns }: Here, address: ThreadAddress) {
  for (;;) {
    const turn = turns.find(address)
    const snapshot = await stateOf(service, address)
    if (turns.find(address) === turn) return { turn, snapshot }
  }
}

/** Any graph that has the channel will do: it is read as it was stored. */
function stateOf({ graphs }: Service, address: ThreadAddress): Promise<StateSnapshot> {
  const compiled: readonly CompiledGraph[] = Object.values(graphs)
  const graph = compiled.find(({ graph }) => 'messages' in graph.channels) ?? compiled[0]
  if (graph === undefined) throw new Error('serve() refuses to begin without a graph.')
  return graph.state(address)
}

/** What the turn was sent with and no checkpoint has yet: the first commit brings it. */
function pending({ input, run }: RunningTurn, stored: readonly Message[]): UiMessage[] {
  const sent: readonly unknown[] = isRecord(input) ? [input.messages].flat() : []
  const known = new Set(stored.map(({ id }) => id))
  return sent.flatMap((message, index) => {
    if (!isRecord(message) || message.role !== 'user' || typeof message.content !== 'string') return []
    const { id = `${run}:0.${index + 1}`, content } = message
    return typeof id !== 'string' || known.has(id) ? [] : [uiUserMessage({ id, content })]
  })
}
