// Trees of updates, forks and runs, grown at random by one writer or two at once: every checkpoint is what a model says that knows
// no deltas and no claims. `trees` of so many seeds; a tree that differs is named by its seed.
import { postgresBinaries } from '../local/neon/throwaway-postgres.ts'
import { growTree } from './fork-tree.ts'
import { inLanes } from './lanes.ts'
import type { Figures, PartOptions } from './part.ts'
import { seeded } from './random.ts'
import { memoryStorage, postgresStorage } from './storage.ts'
import type { Storage } from './world.ts'

const operations = 14
/** Whoever waits in line mostly waits. */
const lanes = 10
/** In memory a tree costs little. */
const inMemoryFor = 10

export async function forks({ seeds, say }: PartOptions): Promise<Figures> {
  const memory = await grown(memoryStorage().storage, seeds * inMemoryFor, (line) => say(`forks in memory: ${line}`))
  if (postgresBinaries() === undefined) {
    say('forks are grown in memory only: apt-get install postgresql')
    return { ...memory, on: 'memory' }
  }
  const postgres = await postgresStorage()
  try {
    const onPostgres = await grown(postgres.storage, seeds, (line) => say(`forks on Postgres: ${line}`))
    return { ...onPostgres, on: 'Postgres', memory }
  } finally {
    await postgres.close()
  }
}

export async function grown(storage: () => Pick<Storage, 'checkpointer'>, trees: number, say: PartOptions['say']) {
  const seeds = Array.from({ length: trees }, (_, index) => index + 1)
  const sizes = await inLanes(seeds, lanes, async (seed) => {
    const { checkpointer } = storage()
    try {
      return await growTree({ checkpointer, random: seeded(seed), tenant: `forks-${process.pid}-${seed}`, operations })
    } catch (error) {
      say(`WRONG with seed ${seed}: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  })
  const right = sizes.filter((size) => size !== undefined)
  return { trees, checkpoints: right.reduce((sum, size) => sum + size, 0), wrong: trees - right.length }
}
