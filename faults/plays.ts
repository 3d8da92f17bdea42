// What clients do while things go wrong.
import type { BusyStrategy, RunEvent } from '../src/index.ts'
import type { Told } from './checker.ts'
import { insist, owner, type Request } from './client.ts'
import { pause } from './mode.ts'
import { linesOf } from './program.ts'
import type { World } from './world.ts'

/** `returns`: whether clients whose worker is gone come back. */
export type Play = (world: World, returns: boolean) => Promise<readonly Told[]>

export const thread = 't'
const mostTries = 10
const pauseMs = 50
/** What holds a request may never come, once things go wrong. */
const longestHoldMs = 400

export const once: Play = async (world, returns) => [await ask(world, 'a', { returns })]

/** The second superstep takes longer than a renewal is away. */
export const slow: Play = async (world, returns) => {
  held(world, 'second')
  return [await ask(world, 'a', { returns })]
}

/** The first is held in the midst of `task` until the second has been told that it is queued or has begun. */
export function second(strategy: BusyStrategy, task: string): Play {
  return async (world, returns) => {
    const hold = held(world, task)
    const first = ask(world, 'a', { returns })
    await hold.reached(first)
    const watch = ({ type }: RunEvent) => {
      if (type === 'run-started' || type === 'run-queued') hold.release()
    }
    return Promise.all([first, ask(world, 'b', { returns, strategy, watch })])
  }
}

/** The worker has to go in the midst of its work. */
export const handOver: Play = async (world, returns) => {
  const hold = held(world, 'second')
  const leaving = new AbortController()
  const first = ask(world, 'a', { returns, handOver: leaving.signal })
  await hold.reached(first)
  leaving.abort()
  hold.release()
  return [await first]
}

/** Somebody else cancels the run in the midst of its work. */
export const cancel: Play = async (world, returns) => {
  const hold = held(world, 'second')
  const started = startOf()
  const first = ask(world, 'a', { returns, watch: started.watch })
  await hold.reached(first)
  const run = started.run()
  for (let tries = 1; run !== undefined && tries <= mostTries; tries++) {
    const worker = world.worker('cancel')
    const outcome = await worker.attempt(() => worker.app.cancel(at(world), run))
    if (outcome === 'gone' ? !returns : 'value' in outcome) break
    await pause(pauseMs)
  }
  hold.release()
  return [await first]
}

/** Somebody follows the run from elsewhere, to its end. */
export const follow: Play = async (world, returns) => {
  const hold = held(world, 'first')
  const started = startOf()
  const first = ask(world, 'a', { returns, record: true, watch: started.watch })
  await hold.reached(first)
  hold.release()
  const run = started.run()
  return run === undefined ? [await first] : Promise.all([first, followed(world, run, returns)])
}

async function followed(world: World, run: string, returns: boolean): Promise<Told> {
  const streams: RunEvent[][] = []
  const told = readerOf('a', returns, streams)
  for (let tries = 1; tries <= mostTries; tries++) {
    const worker = world.worker('read')
    const events: RunEvent[] = []
    streams.push(events)
    const outcome = await worker.attempt(async () => {
      for await (const event of worker.app.follow(at(world), run)) events.push(event)
    })
    const end = events.at(-1)
    if (end?.type === 'run-finished') return { ...told, outcome: 'accepted', lines: linesOf(end.values) }
    if (end?.type === 'run-failed') return { ...told, outcome: 'ended', code: end.error.code }
    if (outcome === 'gone' && !returns) return told
    await pause(pauseMs)
  }
  return told
}

/** Reads the history until it is given, and tells it as the answer to `y`, which was answered before. */
export const read: Play = async (world, returns) => {
  const told = readerOf('y', returns)
  for (let tries = 1; tries <= mostTries; tries++) {
    const worker = world.worker('read')
    const outcome = await worker.attempt(() => worker.app.history(at(world), { limit: 100 }))
    if (outcome === 'gone' && !returns) return [told]
    if (outcome !== 'gone' && 'value' in outcome) {
      const [newest = [], ...older] = outcome.value.map(({ values }) => linesOf(values))
      const grown = older.every((lines) => lines.every((line, index) => line === newest[index]))
      return [grown ? { ...told, outcome: 'accepted', lines: newest } : { ...told, outcome: 'ended', code: 'torn' }]
    }
    await pause(pauseMs)
  }
  return [told]
}

function ask(world: World, name: string, more: Partial<Request>): Promise<Told> {
  return insist(world, { name, thread, strategy: 'reject', returns: true, ...more })
}

function at({ tenant }: World) {
  return { tenant, user: owner, thread }
}

function readerOf(request: string, stays: boolean, streams: Told['streams'] = []): Told {
  const [askedAt, answeredAt] = [performance.now(), Number.POSITIVE_INFINITY]
  return { request, outcome: 'unknown', lines: [], stays, streams, askedAt, answeredAt }
}

/** Holds `a` before it charges for `task`. */
function held(world: World, task: string) {
  const [reached, free] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  world.hold = async (call) => {
    if (call.of !== 'a' || call.task !== task) return
    reached.resolve()
    await Promise.race([free.promise, pause(longestHoldMs)])
  }
  return {
    reached: async (first: Promise<unknown>) => {
      let waiting = true
      // Who makes good by itself what went wrong comes, however late the machine lets it.
      const overdue = async () => {
        do await pause(longestHoldMs)
        while (waiting && !world.down)
      }
      await Promise.race([reached.promise, first, overdue()]).finally(() => {
        waiting = false
      })
    },
    release: () => free.resolve(),
  }
}

function startOf() {
  let run: string | undefined
  const watch = (event: RunEvent) => {
    if (event.type === 'run-started') run = event.run
  }
  return { watch, run: () => run }
}
