// Each guard taken away alone: a directed test must notice. Random load does not, for guards overlap.
import { postgresBinaries } from '../local/neon/throwaway-postgres.ts'
import { inLanes } from './lanes.ts'
import { approvalGuards } from './mutants/approvals.ts'
import { claims } from './mutants/claims.ts'
import { commits } from './mutants/commits.ts'
import { extractionGuards } from './mutants/extraction.ts'
import { type Laboratory, laboratory } from './mutants/laboratory.ts'
import { memoryGuards } from './mutants/memories.ts'
import type { Mutant } from './mutants/mutant.ts'
import { retention } from './mutants/retention.ts'
import { runtimeGuards } from './mutants/runtime.ts'
import { type Figures, type PartOptions, Skipped } from './part.ts'

const lanes = 2
/** Must pass whatever is taken away, or the mutant is no program at all. */
const soundTests: Readonly<Record<string, readonly string[]>> = {
  'test/contract/neon-postgres.test.ts': [
    'a first turn makes the thread',
    'a commit of two checkpoints moves the head',
  ],
  'test/contract/approval-races.test.ts': ['sweeps side by side end a question once'],
}

export const guards: readonly Mutant[] = [
  ...[...claims, ...commits, ...approvalGuards, ...retention, ...runtimeGuards],
  ...[...extractionGuards, ...memoryGuards],
]

interface Trial {
  readonly mutant: Mutant
  /** The test that noticed. */
  readonly killer: string | undefined
}

export async function mutants({ say, only = '' }: PartOptions): Promise<Figures> {
  if (postgresBinaries() === undefined) throw new Skipped('it needs postgresql: apt-get install postgresql')
  const all = guards.filter(({ tests }) => tests.includes(only))
  const laboratories = Array.from({ length: lanes }, laboratory)
  const free = [...laboratories]
  const inOne = async <Result>(work: (room: Laboratory) => Promise<Result>): Promise<Result> => {
    const room = free.pop()
    if (room === undefined) throw new Error('There are more trials than rooms.')
    return work(room).finally(() => free.push(room))
  }
  try {
    const files = [...new Set(all.map(({ tests }) => tests))]
    const unsound = await inLanes(files, lanes, (file) => inOne((room) => unsoundness(room, file, all)))
    if (unsound.some((each) => each !== undefined)) throw new Error(unsound.filter(Boolean).join('\n'))
    const trials = await inLanes(all, lanes, (mutant) => inOne((room) => tried(room, mutant)))
    for (const trial of trials) say(worded(trial))
    const needed = trials.filter(({ mutant }) => mutant.redundant === undefined)
    return {
      total: needed.length,
      killed: needed.filter(({ killer }) => killer !== undefined).length,
      redundant: trials.length - needed.length,
      survivors: needed.filter(({ killer }) => killer === undefined).map(({ mutant }) => mutant.guard),
    }
  } finally {
    for (const room of laboratories) room.close()
  }
}

/** With every guard in its place the directed tests pass: else what is wrong with them. */
async function unsoundness(room: Laboratory, file: string, all: readonly Mutant[]): Promise<string | undefined> {
  const names = all.filter(({ tests }) => tests === file).flatMap(({ killedBy }) => killedBy)
  const { passed, failed } = await room.run(file, names)
  const missing = names.filter((name) => !passed.some((title) => title.startsWith(name)))
  const problems = [...failed, ...missing.map((name) => `no test "${name}"`)]
  return problems.length === 0 ? undefined : `With nothing taken away, ${file} failed: ${problems.join('; ')}`
}

async function tried(room: Laboratory, mutant: Mutant): Promise<Trial> {
  const sound = mutant.file === 'schema.sql' ? (soundTests[mutant.tests] ?? []) : []
  const { passed, failed } = await room.without(mutant, [...mutant.killedBy, ...sound])
  const killer = failed.find((title) => mutant.killedBy.some((name) => title.startsWith(name)))
  if (sound.length > 0 && passed.length === 0) throw new Error(`Without "${mutant.guard}" nothing works at all.`)
  if (mutant.redundant !== undefined && killer !== undefined) {
    throw new Error(`"${mutant.guard}" is said to be redundant, and "${killer}" fails without it.`)
  }
  return { mutant, killer }
}

function worded({ mutant, killer }: Trial): string {
  const { guard, redundant } = mutant
  if (redundant !== undefined) return `mutant "${guard}": redundant. ${redundant}`
  return killer === undefined ? `mutant "${guard}" SURVIVED` : `mutant "${guard}": killed by "${killer}"`
}
