// Answers from every road: taken once, whichever road they come by, and then the run goes on in this Worker.
import type { ApprovalRecord } from '../ports/approvals.ts'
import { type Answerer, type GivenAnswer, type TakenAnswer, takeAnswer } from '../runtime/answering.ts'
import { attendance } from './attendance.ts'
import { logFailure } from './problem.ts'
import type { Call } from './route.ts'
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

/** Nobody waits for it here: its events are recorded for whoever watches the thread, and the cron finishes what this Worker cannot. */
function goOn(call: Answering, tenant: string, { thread, run, graph, requester: user }: ApprovalRecord): void {
  const compiled = call.service.graphs[graph]
  if (compiled === undefined) return
  const attending = attendance(call.request, call.lifetimeMs)
  attending.leave()
  const { left, handOver } = attending
  const { result } = call.turns.begin({ tenant, user, thread }, (emit, signal) =>
    compiled.finish({ tenant, thread, run }, { emit, signal, left, handOver, record: true }),
  )
  call.waitUntil(result.finally(attending.end))
  result.catch(logFailure)
}
