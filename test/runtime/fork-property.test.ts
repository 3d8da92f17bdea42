// Random trees of updates, forks and runs, by one writer and two at once: every checkpoint is what an independent model says. More
// of them are grown by `npm run faults -- forks`.
import { expect, test } from 'vitest'
import { grown } from '../../faults/forks.ts'
import { memoryStorage, postgresStorage } from '../../faults/storage.ts'
import { postgresBinaries } from '../../local/neon/throwaway-postgres.ts'
import { pgliteDatabase } from '../contract/neon-database.ts'

async function expectRight(trees: number, storage: Parameters<typeof grown>[0]): Promise<void> {
  const wrong: string[] = []
  const { checkpoints } = await grown(storage, trees, (line) => wrong.push(line))
  expect(wrong).toEqual([])
  expect(checkpoints).toBeGreaterThan(trees * 14)
}

test('40 trees in memory', async () => {
  await expectRight(40, memoryStorage().storage)
}, 60_000)

test('a tree on PGlite', async () => {
  const database = await pgliteDatabase()
  await expectRight(1, () => database).finally(() => database.close())
}, 60_000)

test.skipIf(postgresBinaries() === undefined)(
  '10 trees on a Postgres server (skipped where none is installed)',
  async () => {
    const postgres = await postgresStorage()
    await expectRight(10, postgres.storage).finally(() => postgres.close())
  },
  60_000,
)
