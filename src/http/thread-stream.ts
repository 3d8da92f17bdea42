// Watching a thread: whatever runs in it is told, one run after the other, also what goes on when somebody has answered.
import type { RunRecord } from '../ports/run-records.ts'
import type { RunEvent } from '../runtime/events.ts'
import type { FollowOptions } from '../runtime/follow.ts'
import type { ThreadAddress } from '../runtime/history.ts'
import { type Attendance, attendance } from './attendance.ts'
import { type Call, type Route, route } from './route.ts'
import { runEvents, type StreamMode } from './run-events.ts'
import { ModeList, ModesQuery, modesOf, modesOfQuery } from './run-request.ts'
import { threadKeyOf } from './service.ts'
import { type FrameId, frameIdOf, type SseEvent, sseFrames, sseResponse } from './sse.ts'
import { graphOfRun } from './thread-view.ts'
import { recordOf } from './threads.ts'
import { checked } from './validation.ts'
import { watched } from './watch.ts'

export const threadStreamRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/threads/:thread_id/stream',
    scopes: ['chat', 'operate'],
    tag: 'Threads',
    summary: 'Watch a thread',
    description:
      'The run that works or waits, from its beginning, and then every run that follows, each with a `metadata` event first. A run that was answered, by whichever road, goes on here. It ends when the reader leaves. With `Last-Event-ID` it goes on behind that event, also where its run has ended since; what has no id, as `metadata`, is told to every reader.',
    query: ModesQuery,
    responses: { 200: { description: 'Events of runs', contentType: 'text/event-stream' } },
    handle: async (call) => {
      const modes = modesOf(checked(ModeList(), modesOfQuery(call.query), 'The query: stream_mode'))
      const { thread } = await recordOf(call, call.parameters.thread_id)
      const attending = attendance(call.request, call.lifetimeMs)
      const seen = frameIdOf(call.request.headers.get('last-event-id'))
      const watcher = new Watcher(call, thread, attending, seen)
      return sseResponse(sseFrames(watcher.events(modes), seen), { left: attending.leave })
    },
  }),
]

/** What was told of a run, and as what it was known when that ended. */
interface Told {
  readonly run: string
  readonly updatedAt: string
  readonly known: { epoch: number; step: number }
}

const tickMs = 100
const shortestMs = 400
const longestMs = 5_000
const fewRuns = 20

class Watcher {
  readonly #call: Call
  readonly #address: ThreadAddress
  readonly #attending: Attendance
  readonly #seen: FrameId | undefined
  #told: Told | undefined

  constructor(call: Call, id: string, attending: Attendance, seen: FrameId | undefined) {
    const { tenant, thread, owner } = threadKeyOf(call.principal, id)
    this.#call = call
    this.#address = { tenant, thread, user: owner }
    this.#attending = attending
    this.#seen = seen
  }

  async *events(modes: readonly StreamMode[]): AsyncGenerator<SseEvent, void> {
    const { service } = this.#call
    const { thread } = this.#address
    let pauseMs = shortestMs
    for (let first = true; !this.#attending.left.aborted; first = false) {
      const record = await this.#next(first)
      if (record === undefined) {
        await this.#news(pauseMs)
        pauseMs = Math.min(pauseMs * 1.3, longestMs)
        continue
      }
      pauseMs = shortestMs
      const graph = graphOfRun(service, record)
      const known = this.#told?.run === record.run ? this.#told.known : { epoch: 0, step: -1 }
      for await (const event of runEvents({ graph, modes, run: record.run, thread }, this.#of(record, known))) {
        yield numbered(event, record.run)
      }
      const after = await service.checkpointer.runs.get(this.#key(), record.run)
      this.#told = { run: record.run, updatedAt: after?.updatedAt ?? '', known }
    }
  }

  /**
   * The first run that has more to tell. Of those that had ended before the reader came there is nothing, but for one who comes
   * back: that begins with the run they had last heard of.
   */
  async #next(first: boolean): Promise<RunRecord | undefined> {
    const page = { limit: fewRuns, offset: 0 }
    const runs = (await this.#call.service.checkpointer.runs.list(this.#key(), page)).toReversed()
    if (first) {
      const heard = runs.find(({ run }) => run === this.#seen?.run)
      if (heard !== undefined) return heard
      const open = runs.find(({ status }) => ['queued', 'running', 'waiting'].includes(status))
      const last = runs.at(-1)
      if (open === undefined && last !== undefined) this.#told = { ...last, known: { epoch: 0, step: -1 } }
      return open
    }
    const place = runs.findIndex(({ run }) => run === this.#told?.run)
    const told = runs[place]
    return told !== undefined && told.updatedAt !== this.#told?.updatedAt ? told : runs[place + 1]
  }

  /** `known` grows with what is told. */
  async *#of({ run, graph: name }: RunRecord, known: Told['known']): AsyncGenerator<RunEvent, void> {
    const { service, turns } = this.#call
    const graph = graphOfRun(service, { run, graph: name })
    const turn = turns.find(this.#address)
    const options: FollowOptions = { ...this.#attending, ...(known.epoch > 0 && { known: { ...known } }) }
    const here = turn?.run === run && turn.replayable
    const events = here ? watched(graph, this.#address, turn, options) : graph.follow(this.#address, run, options)
    for await (const event of events) {
      if (event.type === 'run-started') known.epoch = event.epoch
      if (event.type === 'checkpoint-saved') known.step = event.step
      yield event
    }
  }

  /** Until it is worth looking again: at once when something begins in this isolate. */
  async #news(ms: number): Promise<void> {
    for (let waited = 0; waited < ms && !this.#attending.left.aborted; waited += tickMs) {
      if (this.#call.turns.find(this.#address) !== undefined && waited > 0) return
      await new Promise((resolve) => setTimeout(resolve, tickMs))
    }
  }

  #key() {
    const { tenant, thread, user } = this.#address
    return { tenant, thread, owner: user }
  }
}

/** What is told before a claim has begun, `metadata` first of all, would have the same number for every run. */
function numbered({ id, ...event }: SseEvent, run: string): SseEvent {
  return id === undefined || id.epoch === 0 ? event : { ...event, id: { ...id, run } }
}
