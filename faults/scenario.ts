// What is done while things go wrong: the turns that single faults and pairs of faults are tried on.
import type { BusyStrategy, RunEvent } from '../src/index.ts'
import type { Told } from './checker.ts'
import { insist, owner, type Request } from './client.ts'
import { pause } from './mode.ts'
import { agentTools, bulky, linesOf, oneNode, type Program, parallel, twoEffects, twoSteps } from './program.ts'
import type { World } from './world.ts'

export interface Scenario {
  readonly name: string
  readonly program: Program
  readonly cached: boolean
  /** Turns before, with nothing wrong. */
  readonly before: readonly string[]
  /** Whether requests push each other aside. */
  readonly pushing?: boolean
  /** `returns`: whether clients whose worker is gone come back. */
  play(world: World, returns: boolean): Promise<readonly Told[]>
}

export const thread = 't'

function ask(world: World, name: string, more: Partial<Request> = {}): Promise<Told> {
  return insist(world, { name, thread, strategy: 'reject', returns: true, ...more })
}

const once: Pick<Scenario, 'play'> = {
  play: async (world, returns) => [await ask(world, 'a', { returns })],
}

/** The first is held in the midst of `task` until the second has been told that it is queued or has begun. */
function second(strategy: BusyStrategy, task: string): Pick<Scenario, 'play'> {
  return {
    async play(world, returns) {
      const [held, free] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      world.hold = async (call) => {
        if (call.of !== 'a' || call.task !== task) return
        held.resolve()
        await Promise.race([free.promise, pause(longestHoldMs)])
      }
      const first = ask(world, 'a', { returns })
      await Promise.race([held.promise, first, pause(longestHoldMs)])
      const watch = ({ type }: RunEvent) => {
        if (type === 'run-started' || type === 'run-queued') free.resolve()
      }
      return Promise.all([first, ask(world, 'b', { returns, strategy, watch })])
    },
  }
}

/** What holds the first may never come, once things go wrong. */
const longestHoldMs = 400

/** Reads the history until it is given, and tells it as the answer to `request`, which was answered before. */
async function read(world: World, request: string, returns: boolean): Promise<Told> {
  const told: Told = {
    request,
    outcome: 'unknown',
    lines: [],
    stays: returns,
    streams: [],
    askedAt: performance.now(),
    answeredAt: Number.POSITIVE_INFINITY,
  }
  for (let tries = 1; tries <= mostReads; tries++) {
    const worker = world.worker('read')
    const outcome = await worker.attempt(() =>
      worker.app.history({ tenant: world.tenant, user: owner, thread }, { limit: 100 }),
    )
    if (outcome === 'gone' && !returns) return told
    if (outcome !== 'gone' && 'value' in outcome) {
      const [newest = [], ...older] = outcome.value.map(({ values }) => linesOf(values))
      const grown = older.every((lines) => lines.every((line, index) => line === newest[index]))
      return grown ? { ...told, outcome: 'accepted', lines: newest } : { ...told, outcome: 'ended', code: 'torn' }
    }
    await pause(50)
  }
  return told
}

const mostReads = 10

const plain = { cached: false, before: [] }
const aside = { cached: true, before: ['x'], pushing: true }

export const scenarios: readonly Scenario[] = [
  { name: 'one node, a fresh thread', program: oneNode, ...plain, ...once },
  { name: 'one node, a cached thread', program: oneNode, cached: true, before: ['x', 'y'], ...once },
  { name: 'a long thread', program: bulky, cached: false, before: ['x'], ...once },
  { name: 'two supersteps', program: twoSteps, cached: true, before: ['x'], ...once },
  { name: 'parallel tasks', program: parallel, ...plain, ...once },
  { name: 'agent, tools, agent', program: agentTools, cached: true, before: ['x'], ...once },
  { name: 'in line behind another', program: twoEffects, ...plain, ...second('enqueue', 'second') },
  { name: 'interrupting before a commit', program: twoEffects, ...aside, ...second('interrupt', 'first') },
  { name: 'interrupting after a commit', program: twoEffects, ...aside, ...second('interrupt', 'second') },
  { name: 'rolling back before a commit', program: twoEffects, ...aside, ...second('rollback', 'first') },
  { name: 'rolling back after a commit', program: twoEffects, ...aside, ...second('rollback', 'second') },
  {
    name: 'reading the history',
    ...{ program: bulky, cached: false, before: ['x', 'y'] },
    play: async (world, returns) => [await read(world, 'y', returns)],
  },
]
