// What single faults and pairs of faults are tried on: a graph, the thread it finds, and what clients do.
import type { CompileOptions } from '../src/index.ts'
import type { Problem } from './checker.ts'
import { cancel, follow, handOver, once, type Play, read, second, slow } from './plays.ts'
import {
  agentTools,
  bulky,
  messenger,
  oneNode,
  type Program,
  parallel,
  parts,
  twoEffects,
  twoSteps,
} from './program.ts'
import type { World } from './world.ts'

export interface Scenario {
  readonly name: string
  readonly program: Program
  readonly options?: Pick<CompileOptions, 'keepCheckpoints'>
  readonly cached?: boolean
  /** Whether what the run tells is kept for readers of other workers. */
  readonly recorded?: boolean
  /** Turns before, with nothing wrong. */
  readonly before?: readonly string[]
  /** Whether a run may be ended from outside: pushed aside, or cancelled. */
  readonly pushing?: boolean
  /** Whether a run that failed for good can be gone on with, and then leaves what a clean run leaves. */
  readonly goesOn?: boolean
  readonly play: Play
  /** What else must hold when all is over. */
  readonly check?: (world: World) => readonly Problem[]
}

const warm = { cached: true, before: ['x'] }
const alone = { goesOn: true, play: once }

export const scenarios: readonly Scenario[] = [
  { name: 'one node, a fresh thread', program: oneNode, ...alone },
  { name: 'one node, a cached thread', program: oneNode, cached: true, before: ['x', 'y'], ...alone },
  { name: 'a long thread', program: bulky, before: ['x'], ...alone },
  { name: 'two supersteps', program: twoSteps, ...warm, ...alone },
  { name: 'parallel tasks', program: parallel, ...alone },
  { name: 'agent, tools, agent', program: agentTools, ...warm, play: once },
  { name: 'parts of a task', program: parts, ...warm, ...alone },
  { name: 'a message in the outbox', program: messenger, ...warm, ...alone },
  { name: 'few checkpoints are kept', program: bulky, options: { keepCheckpoints: 3 }, before: ['x', 'y'], ...alone },
  { name: 'a slow node', program: twoEffects, goesOn: true, play: slow },
  { name: 'handed over', program: twoEffects, ...warm, play: handOver },
  { name: 'in line behind another', program: twoEffects, play: second('enqueue', 'second') },
  {
    name: 'interrupting before a commit',
    program: twoEffects,
    ...warm,
    pushing: true,
    play: second('interrupt', 'first'),
  },
  {
    name: 'interrupting after a commit',
    program: twoEffects,
    ...warm,
    pushing: true,
    play: second('interrupt', 'second'),
  },
  {
    name: 'rolling back before a commit',
    program: twoEffects,
    ...warm,
    pushing: true,
    play: second('rollback', 'first'),
  },
  {
    name: 'rolling back after a commit',
    program: twoEffects,
    ...warm,
    pushing: true,
    play: second('rollback', 'second'),
  },
  { name: 'cancelled from elsewhere', program: twoEffects, ...warm, pushing: true, play: cancel },
  { name: 'followed from elsewhere', program: twoEffects, recorded: true, play: follow },
  { name: 'reading the history', program: bulky, before: ['x', 'y'], play: read },
]
