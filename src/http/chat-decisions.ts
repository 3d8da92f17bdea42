// What a person decided on calls that wait, sent by a chat page: taken as answers, and then the run is told on where the page has it.
import { toolApprovalKind } from '../agent/tool-approval.ts'
import { isRecollectError, RecollectError } from '../kernel/errors.ts'
import { decode } from '../kernel/json.ts'
import type { ApprovalRecord } from '../ports/approvals.ts'
import type { CompiledGraph } from '../runtime/compiled-graph.ts'
import type { RunEvent } from '../runtime/events.ts'
import { answererOf, goOn, takeAnswerOf } from './answers.ts'
import { type Attendance, attendance } from './attendance.ts'
import type { Decision, SentDecisions } from './chat-request.ts'
import { chunksGoingOn, uiResponse } from './chat-stream.ts'
import { problemOf } from './problem.ts'
import type { Call } from './route.ts'
import { graphOfRun } from './thread-view.ts'
import { askedCall } from './ui-approvals.ts'
import type { UiChunk } from './ui-chunks.ts'
import { messagesOf } from './ui-messages.ts'
import { watched } from './watch.ts'

export type Deciding = Pick<Call, 'service' | 'turns' | 'principal' | 'timing' | 'waitUntil' | 'lifetimeMs' | 'request'>

/**
 * Throws what `takeAnswer` throws when no decision counts. Where some do, the others are named in parts `data-refused`: the page
 * hears whatever its run does next.
 */
export async function decided(
  call: Deciding,
  { thread, approvals, decisions, parts }: SentDecisions,
): Promise<Response> {
  const { tenant, user } = call.principal
  const address = { tenant, user, thread }
  const { taken, refused } = await outcomes(call, thread, decisions)
  const [approval] = taken.sort((a, b) => b.seq - a.seq)
  if (approval === undefined) throw refused[0]?.error
  const graph = graphOfRun(call.service, approval)
  const asked = await call.timing.measure('storage', graph.state(address, String(approval.seq)))
  const { run } = approval
  const calls = taken.flatMap((record) => askedCall({ ...record, payload: decode(record.payload) })?.toolCallId ?? [])
  const continued = {
    ...{ run, step: asked.step, messages: messagesOf(asked.values), parts: parts + refused.length },
    answered: new Set(calls),
  }
  const attending = attendance(call.request, call.lifetimeMs)
  const events = await eventsFrom(call, graph, { approval, step: asked.step, attending })
  const chunks = chunksGoingOn({ thread, approvals }, continued, { refused: refused.map(refusedPart), events })
  return uiResponse(chunks, attending.leave)
}

interface Refused {
  readonly id: string
  readonly error: RecollectError
}

async function outcomes(call: Deciding, thread: string, decisions: readonly Decision[]) {
  const taken: ApprovalRecord[] = []
  const refused: Refused[] = []
  for (const decision of decisions) {
    try {
      taken.push(await answered(call, thread, decision))
    } catch (error) {
      if (!isRecollectError(error) || error.status >= 500) throw error
      refused.push({ id: decision.id, error })
    }
  }
  return { taken, refused }
}

/** As the owner of the thread: what somebody else asks them to approve comes by another road. */
async function answered(call: Deciding, thread: string, { id, approved, reason }: Decision): Promise<ApprovalRecord> {
  const { tenant, user } = call.principal
  const reading = call.service.checkpointer.approvals.get({ tenant, owner: user }, id)
  const asked = await call.timing.measure('storage', reading)
  if (asked === undefined || asked.thread !== thread) {
    throw new RecollectError('approval_unknown', `There is no approval "${id}" in this thread.`)
  }
  if (asked.kind !== toolApprovalKind) {
    throw new RecollectError(
      'input_invalid',
      `"${asked.kind}" is no call of a tool, and yes or no is no answer to it: send the answer to POST /approvals/${id}.`,
    )
  }
  const answer = approved
    ? { decision: 'approve' }
    : { decision: 'reject', ...(reason !== undefined && reason !== '' && { reason }) }
  const who = { ...answererOf(call.principal, 'chat'), user }
  // Pages send a message again, with all that was decided in it.
  const { approval } = await takeAnswerOf(call, who, { id, answer, key: `chat:${id}:${approved}` })
  return approval
}

interface Going {
  readonly approval: ApprovalRecord
  readonly step: number
  readonly attending: Attendance
}

/** Of the run that goes on here; or that somebody else goes on with, has ended, or still waits for other answers. */
async function eventsFrom(
  call: Deciding,
  graph: CompiledGraph,
  { approval, step, attending }: Going,
): Promise<AsyncIterable<RunEvent>> {
  const { tenant, user } = call.principal
  const { thread, run } = approval
  const address = { tenant, user, thread }
  const begun = goOn(call, tenant, approval, attending)
  if (begun !== undefined && (await call.timing.measure('storage', begun.turn.speaks()))) {
    return watched(graph, address, begun.turn, attending)
  }
  await begun?.result
  const turn = call.turns.find(address)
  if (turn?.run === run && turn.replayable) return watched(graph, address, turn, attending)
  return graph.follow(address, run, { ...attending, known: { epoch: 0, step } })
}

function refusedPart({ id, error }: Refused): UiChunk {
  const { code, detail } = problemOf(error)
  return { type: 'data-refused', id, data: { id, code, detail } }
}
