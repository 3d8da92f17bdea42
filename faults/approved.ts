// Runs that ask before a tool runs, and are answered while things go wrong: by whoever waits for the end, as in code, or by whoever
// only answers, as over HTTP.
import * as z from 'zod/mini'
import {
  type Channels,
  callsTools,
  END,
  type Message,
  messages,
  modelNode,
  type RunEvent,
  type RunResult,
  StateGraph,
  tool,
  toolNode,
  user,
} from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'
import type { Problem, Told } from './checker.ts'
import { failedForGood, owner } from './client.ts'
import { pause } from './mode.ts'
import { type Play, thread } from './plays.ts'
import { linesOf, type Program, requestOf } from './program.ts'
import type { Outcome } from './worker.ts'
import type { World } from './world.ts'

const callTries = 5
const mostTries = 30
const pauseMs = 50

/** The request that asks; the others' calls need nobody's approval. */
const asks = 'a'

/** `kept`: the tool keeps what it has done as a part of its task, so that it is not done again for want of a commit. */
export function approvedTool(kept: boolean, refused = false): Program {
  const tasks = ['calls', 'take', 'reply']
  return {
    name: `${kept ? 'kept' : 'plain'}-approval`,
    tasks,
    ...(refused && { tasksOf: (request: string) => (request === asks ? ['calls', 'told', 'reply'] : tasks) }),
    input: (name) => ({ messages: user(`ask:${name}`) }),
    graph: ({ shop, attempt }) => {
      const charge = tool('charge', {
        description: 'Charges.',
        input: z.object({ of: z.string() }),
        approval: ({ of }) => of === asks,
        run: async ({ of }, { run, idempotencyKey: key, task }) => {
          const charged = async () => {
            const number = attempt()
            for (let tries = 1; ; tries++) {
              try {
                await shop.charge({ run, key, of, task: 'take', number })
                return number
              } catch (error) {
                if (tries === callTries) throw error
              }
            }
          }
          return `take:${of}#${await (kept ? task('charge', charged) : charged())}`
        },
      })
      return new StateGraph({
        state: { messages: messages() },
        nodes: { reply: modelNode({ tools: [charge] }), tools: toolNode([charge]) },
        edges: { start: 'reply', reply: (state) => (callsTools(state) ? 'tools' : END), tools: 'reply' },
      })
    },
    model: (attempt) =>
      scriptedModel((said) => {
        const of = asked(said)
        if (said.at(-1)?.role === 'tool') return `reply:${of}#${attempt()}`
        return { calls: [{ id: `take-${attempt()}`, name: 'charge', arguments: { of } }] }
      }),
  }
}

function asked(said: readonly Message[]): string {
  return requestOf(said.findLast(({ role }) => role === 'user')?.content ?? '')
}

const approve = { decision: 'approve' }
const respond = { decision: 'respond', text: `told:${asks}#0` }

/** What was asked, and by which run. */
interface Question {
  readonly id: string
  readonly run: string
}

/** Asks with nothing wrong, then answers while things go wrong; two at once where `by` names two. */
export function answers(
  by: readonly ('a' | 'b')[],
  road: 'code' | 'http',
  decision: 'approve' | 'respond' = 'approve',
): Play {
  return async (world, returns) => {
    const question = await ask(world)
    world.hold = async ({ of }) => {
      if (of !== asks) return
      const status = await statusOf(world, question)
      if (status !== 'answered')
        world.noted.push({ kind: 'unapproved', what: `the tool ran while its approval was ${status}` })
    }
    const answer = decision === 'approve' ? approve : respond
    const told = await Promise.all(by.map((who) => answeredBy(world, { who, road, answer, returns, question })))
    // One of them only follows the run of the other, and a reader may be told twice.
    if (by.length > 1)
      told.splice(0, by.length, ...told.map((each) => ({ ...each, answeredAt: Number.POSITIVE_INFINITY })))
    // Of whoever was lost nobody knows whether they have answered. Somebody else does, in the end.
    const later = { who: 'later', road: 'code', answer, returns: true, question } as const
    if ((await statusOf(world, question)) === 'pending') told.push(await answeredBy(world, later))
    return told
  }
}

async function ask(world: World): Promise<Question> {
  const { app, defer } = world.worker('asks')
  const at = { ...placeOf(world), key: asks, waitUntil: defer }
  const { interrupts, run } = await app.run(world.program.input(asks), at)
  const [question] = interrupts
  if (question === undefined) throw new Error('Nothing was asked.')
  await world.settle()
  return { id: question.id, run }
}

interface Answering {
  readonly who: 'a' | 'b' | 'later'
  readonly road: 'code' | 'http'
  readonly answer: unknown
  readonly returns: boolean
  readonly question: Question
}

/** Until it is told the end of the run, or will not come back. */
async function answeredBy(world: World, answering: Answering): Promise<Told> {
  const askedAt = performance.now()
  const streams: RunEvent[][] = []
  const told = (outcome: Told['outcome'], more: { lines?: readonly string[]; code?: string } = {}): Told => {
    const times = { askedAt, answeredAt: performance.now() }
    return { request: asks, outcome, lines: [], stays: answering.returns, streams, ...times, ...more }
  }
  let onward: string | undefined
  for (let tries = 1; tries <= mostTries; tries++) {
    const events: RunEvent[] = []
    streams.push(events)
    const outcome = await attempt(world, answering, { events, onward })
    if (outcome === 'gone') {
      if (!answering.returns) return told('unknown')
    } else if ('value' in outcome) {
      return told('accepted', { lines: linesOf(outcome.value.values) })
    } else if (failedForGood(outcome.error)) {
      onward = `${answering.who} goes on after ${tries}`
    } else if (!outcome.error.retryable) {
      return told('ended', { code: outcome.error.code })
    }
    await pause(pauseMs)
  }
  return told('unknown')
}

type End = Outcome<RunResult<Channels>>

async function attempt(
  world: World,
  { who, road, answer, question: { id, run } }: Answering,
  { events, onward }: { events: RunEvent[]; onward: string | undefined },
): Promise<End> {
  const worker = world.worker(who)
  const { app, defer: waitUntil } = worker
  const at = placeOf(world)
  const emit = (event: RunEvent) => events.push(event)
  // The run has failed for good; what was answered stays for whoever goes on.
  if (onward !== undefined) return worker.attempt(() => app.run(null, { ...at, key: onward, emit, waitUntil }))
  const answerer = { tenant: world.tenant, user: null, by: who, approver: true, via: 'api' }
  const taken = await worker.attempt(() => app.answer(answerer, { id, answer, key: `key of ${who}`, run }))
  // The other may have been first: the end is the same.
  const late = taken !== 'gone' && 'error' in taken && taken.error.code === 'approval_answered' && who !== 'later'
  if (taken === 'gone' || ('error' in taken && !late)) return taken
  if (road === 'code') return worker.attempt(() => app.goOn(at, run, { emit, waitUntil }))
  waitUntil(app.finish({ ...at, run }).catch(() => {}))
  const reader = world.worker('read')
  return reader.attempt(() => reader.app.result(at, run))
}

function placeOf({ tenant }: World) {
  return { tenant, user: owner, thread }
}

async function statusOf({ checkpointer, tenant }: World, { id }: Question): Promise<string | undefined> {
  return (await checkpointer.approvals.get({ tenant, owner: null }, id))?.status
}

/**
 * An approved tool runs once. Again, under the same key, only where nobody can know that it has run: when its own acknowledgement
 * was lost, or its worker was before what the tool has done was kept.
 */
export function runsOnce(kept: boolean, times: 0 | 1 = 1) {
  const unknown = kept ? /:(shop\.charge|postgres\.saveTask)@/ : /:(shop\.charge@|postgres\.commitStep@1 )/
  return ({ calls, met, noted }: World): readonly Problem[] => {
    const count = calls.filter(({ of }) => of === asks).length
    const fits = count === times || (times === 1 && count > 1 && met.some((fault) => unknown.test(fault)))
    return fits ? noted : [...noted, { kind: 'duplicated', what: `the tool ran ${count} times` }]
  }
}
