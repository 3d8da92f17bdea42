// A thread as a chat page shows it: what was said and kept, what waits for an answer, and a message that is being answered just now.
import { decode, isRecord } from '../kernel/json.ts'
import type { Message } from '../ports/model.ts'
import type { CompiledGraph } from '../runtime/compiled-graph.ts'
import type { StateSnapshot, ThreadAddress } from '../runtime/history.ts'
import type { Call } from './route.ts'
import type { RunningTurn } from './running-turns.ts'
import type { Service } from './service.ts'
import { type ApprovalsAs, askedCall, type Denials, denialKey } from './ui-approvals.ts'
import { messagesOf, type UiMessage, uiMessages, uiUserMessage, withoutAnswerOf } from './ui-messages.ts'

type Here = Pick<Call, 'service' | 'turns'>

/**
 * Without the unfinished answer of a turn that runs: clients put its replay beside what they have of it. That of a run that
 * waits for answers is shown, with what it asks.
 */
export async function shownMessages(
  call: Here,
  address: ThreadAddress,
  approvals: ApprovalsAs,
): Promise<readonly UiMessage[]> {
  const { turn, snapshot } = await atOneMoment(call, address)
  const messages = messagesOf(snapshot.values)
  const shown = async (part: readonly Message[], waiting?: StateSnapshot) => {
    const denials = await denialsOf(call.service, address, part)
    const { run = '', interrupts = [] } = waiting ?? {}
    return uiMessages(part, { approvals, denials, ...(interrupts.length > 0 && { waiting: { run, interrupts } }) })
  }
  if (turn?.run !== undefined)
    return [...(await shown(withoutAnswerOf(turn.run, messages))), ...pending(turn, messages)]
  if (snapshot.next.length === 0) return shown(messages)
  // Nodes are due: a turn runs elsewhere, or waits for answers, or one failed and what it had done so far was kept.
  const record = await call.service.checkpointer.threads.get({ ...address, owner: address.user })
  if (record?.status === 'busy') return shown(withoutAnswerOf(snapshot.run, messages))
  const settled = await stateOf(call.service, address)
  return shown(messagesOf(settled.values), settled)
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

/** Asked for only where a person did not approve something: the messages say that much. */
async function denialsOf(
  { checkpointer }: Service,
  { tenant, user: owner, thread }: ThreadAddress,
  messages: readonly Message[],
): Promise<Denials> {
  if (!messages.some((message) => message.role === 'tool' && message.status === 'denied')) return new Map()
  const search = { tenant, owner, thread, run: null, status: 'answered', limit: 1_000, offset: 0 } as const
  const records = await checkpointer.approvals.list(search)
  return new Map(
    records.flatMap(({ id, run, kind, payload, answer }) => {
      const call = askedCall({ kind, payload: decode(payload) })
      const told = answer === null ? undefined : decode(answer)
      if (call === undefined || !isRecord(told) || told.decision !== 'reject') return []
      const reason = typeof told.reason === 'string' ? { reason: told.reason } : {}
      return [[denialKey(run, call.toolCallId), { approval: id, ...reason }]]
    }),
  )
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
