// How long a long thread takes to load, from tables that were never analysed: the planner knows nothing, as after a restore.
import { describe, expect, test } from 'vitest'
import { postgresBinaries } from '../../local/neon/throwaway-postgres.ts'
import { type NeonDatabase, pgliteDatabase, postgresDatabase } from '../contract/neon-database.ts'

const deltas = 2_000
const delta = JSON.stringify({ v: 1, c: { messages: ['~', [0, 1], [[{ role: 'user', content: 'x'.repeat(150) }]]] } })

async function bestLoadMs({ sql, checkpointer }: NeonDatabase): Promise<number> {
  await sql`alter table recollect.checkpoints set (autovacuum_enabled = false)`
  await checkpointer.threads.create({ tenant: 't', thread: 'long', owner: 'ada' }, {})
  await sql.query(
    `insert into recollect.checkpoints (tenant, thread, seq, parent, run, step, hash, delta, chain_bytes, base_bytes)
     select 't', 'long', n, n - 1, 'run', 1, n::text, $1, 0, 0 from generate_series(1, $2::int) n`,
    [delta, deltas],
  )
  await sql.query('update recollect.threads set head = $1 where thread = $2', [deltas, 'long'])
  let bestMs = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 5; attempt++) {
    const startedAt = performance.now()
    const chain = await checkpointer.loadChain({ tenant: 't', thread: 'long', owner: 'ada', seq: null, count: 1 })
    bestMs = Math.min(bestMs, performance.now() - startedAt)
    expect(chain?.frames).toHaveLength(deltas)
    expect(chain?.frames.at(-1)).toMatchObject({ seq: deltas, parent: deltas - 1, text: delta })
  }
  const [statistics] = await sql`select reltuples from pg_class where oid = 'recollect.checkpoints'::regclass`
  expect(statistics?.reltuples).toBe(-1)
  return bestMs
}

describe('2,000 deltas from a table never analysed load in one statement in under 100 ms', () => {
  test('over PGlite', async () => {
    const database = await pgliteDatabase()
    try {
      expect(await bestLoadMs(database)).toBeLessThan(100)
    } finally {
      await database.close()
    }
  })

  test.skipIf(postgresBinaries() === undefined)(
    'over a Postgres server (skipped where none is installed)',
    async () => {
      const database = await postgresDatabase(2)
      try {
        expect(await bestLoadMs(database)).toBeLessThan(100)
      } finally {
        await database.close()
      }
    },
  )
})
