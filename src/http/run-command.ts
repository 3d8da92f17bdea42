// A `command` of the LangGraph wire: a write and where to go on, or answers to what a thread's run has asked.

import * as z from 'zod/mini'
import { type Command, command, send } from '../graph/command.ts'
import type { Graph } from '../graph/graph.ts'
import { RecollectError } from '../kernel/errors.ts'
import { isRecord } from '../kernel/json.ts'
import type { ApprovalRecord } from '../ports/approvals.ts'
import { answererOf, takeAnswerOf } from './answers.ts'
import { lazily, type Output } from './lazily.ts'
import { Anything, Text } from './plain.ts'
import type { Call } from './route.ts'
import { idempotencyKeyOf } from './run-key.ts'
import { JsonObject, maybe } from './schemas.ts'
import { unsupported } from './unsupported.ts'
import { inputOfWire } from './wire-messages.ts'

const Target = lazily(() =>
  z.union([Text, z.strictObject({ node: Text, input: JsonObject() })], {
    error: 'must be the name of a node, or { "node", "input" }',
  }),
)

export const RunCommand = lazily(() =>
  z.strictObject({
    resume: z.optional(Anything),
    update: maybe(
      z.union([JsonObject(), z.array(z.tuple([Text, Anything]))], {
        error: 'must be an object of channels, or a list of [channel, value]',
      }),
    ),
    goto: maybe(z.union([Target(), z.array(Target())])),
  }),
)

type WireCommand = Output<typeof RunCommand>

/** Whether it brings answers. `null` is one. */
export function resumes(asked: WireCommand | null | undefined): asked is WireCommand & { resume: unknown } {
  if (asked?.resume === undefined) return false
  if (asked.update != null || asked.goto != null) {
    throw unsupported('command.resume beside update or goto', 'send them as two runs')
  }
  return true
}

export function commandOfWire(graph: Graph, { update, goto }: WireCommand): Command {
  const written = Array.isArray(update) ? Object.fromEntries(update) : update
  const targets = [goto ?? []].flat().map((target) => (isRecord(target) ? send(target.node, target.input) : target))
  return command({
    update: inputOfWire(graph, written ?? {}),
    ...(targets.length > 0 && { goto: targets }),
  })
}

/** Takes the answers. Gives what was answered last; its run is due then. Throws what `takeAnswer` throws. */
export async function resumed(call: Call, thread: string, name: string, resume: unknown): Promise<ApprovalRecord> {
  const { tenant, user } = call.principal
  const search = { tenant, owner: user, thread, run: null, status: null, limit: 100, offset: 0 }
  const asked = await call.timing.measure('storage', call.service.checkpointer.approvals.list(search))
  let answered: ApprovalRecord | undefined
  for (const [approval, answer] of answersTo(asked, thread, resume)) {
    if (approval.graph !== name) {
      const problem = `Thread "${thread}" waits in graph "${approval.graph}", not in "${name}": name it as assistant_id.`
      throw new RecollectError('input_invalid', problem)
    }
    const given = { id: approval.id, answer, ...idempotencyKeyOf(call.request) }
    answered = (await takeAnswerOf(call, answererOf(call.principal, 'runs'), given)).approval
  }
  if (answered === undefined) throw noQuestion(thread)
  return answered
}

/** `asked`: newest first. An object whose keys are their ids has an answer for each; anything else is the answer to the one that waits. */
function answersTo(asked: readonly ApprovalRecord[], thread: string, resume: unknown): [ApprovalRecord, unknown][] {
  const byId = new Map(asked.map((approval) => [approval.id, approval]))
  if (isRecord(resume)) {
    const named = Object.entries(resume).flatMap(([id, answer]): [ApprovalRecord, unknown][] => {
      const approval = byId.get(id)
      return approval === undefined ? [] : [[approval, answer]]
    })
    if (named.length > 0 && named.length === Object.keys(resume).length) return named
  }
  const waiting = asked.filter(({ status }) => status === 'pending')
  if (waiting.length > 1) {
    const ids = waiting.map(({ id }) => `"${id}"`).join(', ')
    const problem = `Thread "${thread}" waits for ${waiting.length} answers: command.resume must be { id: answer }, with ids among ${ids}.`
    throw new RecollectError('input_invalid', problem)
  }
  // None waits: the newest says what became of it.
  const only = waiting[0] ?? asked[0]
  if (only === undefined) throw noQuestion(thread)
  return [[only, resume]]
}

function noQuestion(thread: string): RecollectError {
  return new RecollectError('approval_unknown', `Nothing was asked in thread "${thread}": there is nothing to answer.`)
}
