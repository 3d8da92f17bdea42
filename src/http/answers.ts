// Answers from every road: taken once, whichever road they come by, and then the run goes on in this Worker.
import type { ApprovalRecord } from '../ports/approvals.ts'
import { type Answerer, type GivenAnswer, type TakenAnswer, takeAnswer } from '../runtime/answering.ts'
import { type Attendance, attendance } from './attendance.ts'
import { logFailure } from './problem.ts'
import type { Call } from './route.ts'
import type { RunningTurn } from './running-turns.ts'
import type { Principal, Service } from './service.ts'

type Answering = Pick<Call, 'service' | 'turns' | 'request' | 'timing' | 'waitUntil' | 'lifetimeMs'>

/** Takes the answer, and begins to run on what has asked. Throws what `takeAnswer` throws. */
export async function answered(call: Answering, who: Answerer, given: GivenAnswer): Promise<TakenAnswer> {
  const taken = await takeAnswerOf(call, who, given)
  goOn(call, who.tenant, taken.approval)
  return taken
}

/** Takes the answer; the run is due then. Throws what `takeAnswer` throws. */
export function takeAnswerOf(
  { service, timing }: Pick<Call, 'service' | 'timing'>,
  who: Answerer,
  given: GivenAnswer,
): Promise<TakenAnswer> {
  return timing.measure('storage', takeAnswer(service.checkpointer, graphOf(service), who, given))
}

/** A principal who answers, on the road `via`. */
export function answererOf({ tenant, user, scopes }: Principal, via: string): Answerer {
  const approver = scopes.has('approve')
  return { tenant, user: approver ? null : user, by: user, approver, via }
}

function graphOf({ graphs }: Service) {
  return (name: string) => (Object.hasOwn(graphs, name) ? graphs[name]?.graph : undefined)
}

/** Its events are recorded for whoever watches the thread, and the cron finishes what this Worker cannot. */
export function goOn(
  call: Answering,
  tenant: string,
  { thread, run, graph, requester: user }: ApprovalRecord,
  attending = nobodyWaits(call),
): { readonly turn: RunningTurn; readonly result: Promise<boolean> } | undefined {
  const compiled = call.service.graphs[graph]
  if (compiled === undefined) return undefined
  const { left, handOver } = attending
  const begun = call.turns.begin({ tenant, user, thread }, (emit, signal) =>
    compiled.finish({ tenant, thread, run }, { emit, signal, left, handOver, record: true }),
  )
  call.waitUntil(begun.result.finally(attending.end))
  begun.result.catch(logFailure)
  return begun
}

function nobodyWaits({ request, lifetimeMs }: Answering): Attendance {
  const attending = attendance(request, lifetimeMs)
  attending.leave()
  return attending
}
