// What runs or waits in a thread, for a chat page that comes to it: heard from its beginning, or stopped.
import type { RunRecord } from '../ports/run-records.ts'
import type { ThreadAddress } from '../runtime/history.ts'
import { unknownThread } from '../runtime/refusal.ts'
import { attendance } from './attendance.ts'
import type { Deciding } from './chat-decisions.ts'
import { chunksOfAnswer, chunksOfTurn, uiResponse } from './chat-stream.ts'
import { tooMuch } from './running-turns.ts'
import { graphOfRun } from './thread-view.ts'
import type { ApprovalsAs } from './ui-approvals.ts'
import { watched } from './watch.ts'
import { noContent } from './wire.ts'

export async function listen(call: Deciding, address: ThreadAddress, approvals: ApprovalsAs): Promise<Response> {
  const attending = attendance(call.request, call.lifetimeMs)
  const view = { thread: address.thread, approvals }
  const turn = call.turns.find(address)
  if (turn?.replayable === false) throw tooMuch()
  const record = await currentRun(call, address, turn?.run)
  if (record === undefined) return noContent()
  const graph = graphOfRun(call.service, record)
  if (record.status === 'waiting') {
    const { checkpoint: seq, values, interrupts } = await call.timing.measure('storage', graph.state(address))
    if (interrupts.length > 0) return uiResponse(chunksOfAnswer(view, { run: record.run, interrupts, seq, values }))
    // It stopped where it was told to; or somebody has answered meanwhile, and it goes on.
    const now = await currentRun(call, address, record.run)
    if (now === undefined || now.status === 'waiting') return noContent()
  }
  const events =
    turn === undefined ? graph.follow(address, record.run, attending) : watched(graph, address, turn, attending)
  const stateAt = (seq: number) => graph.state(address, String(seq))
  return uiResponse(chunksOfTurn(view, events, turn && stateAt), attending.leave)
}

/** The one that works, else the one that waits for answers, else the first in line, which nobody may have taken up yet. */
async function currentRun(call: Deciding, address: ThreadAddress, run?: string): Promise<RunRecord | undefined> {
  if (run !== undefined) return call.service.checkpointer.runs.get({ ...address, owner: address.user }, run)
  const live = await liveRuns(call, address)
  const wanted = ['running', 'waiting', 'queued'].map((status) => live.find((record) => record.status === status))
  return wanted.find((record) => record !== undefined)
}

/** Those of a thread that work, wait for answers, or wait in line; the first in line first. */
async function liveRuns(
  { service, timing }: Deciding,
  { user, ...place }: ThreadAddress,
): Promise<readonly RunRecord[]> {
  const listing = service.checkpointer.runs.list({ ...place, owner: user }, { limit: 100, offset: 0 })
  const runs = await timing.measure('storage', listing)
  return runs.filter(({ status }) => status === 'running' || status === 'queued' || status === 'waiting').reverse()
}

const patienceMs = 10_000

export async function stop(call: Deciding, address: ThreadAddress): Promise<Response> {
  const stopping = call.turns.stop(address)
  if (stopping.length > 0) {
    const ended = await within(patienceMs, Promise.all(stopping))
    return ended ? noContent() : new Response(null, { status: 202 })
  }
  const { tenant, user, thread } = address
  const record = await call.service.checkpointer.threads.get({ tenant, thread, owner: user })
  if (record === undefined) throw unknownThread(thread)
  if (record.status !== 'busy' && record.status !== 'interrupted') return noContent()
  for (const run of await liveRuns(call, address)) await graphOfRun(call.service, run).cancel(address, run.run)
  return noContent()
}

/** False when the time is up first. The timer also keeps a Worker from taking a wait for another request for a hang. */
function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms)
    work.then(() => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}
