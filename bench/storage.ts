// Bytes written per turn as a thread grows, what is stored in all, and the cost of loading it.
import { type NeonQueryFunction, neon } from '@neondatabase/serverless'
import type { WireEntry } from '../local/stand-in.ts'
import { neonCheckpointer } from '../src/adapters/neon/index.ts'
import { agent, user } from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'
import { percentile, rounded } from './percentile.ts'
import type { ServerChoices } from './servers.ts'
import { type Stack, stack } from './stack.ts'

const turns = 1_000
const characters = 200
const loads = 50
const marks = [10, 100, 1_000]

const snapshots = new Set(['put_snapshot_v1'])

export async function storage(choices: ServerChoices): Promise<Record<string, unknown>> {
  const running = await stack(choices)
  const sql = neon(running.settings.DATABASE_URL)
  const checkpointer = neonCheckpointer(sql)
  const cache = running.cache && { cache: running.cache }
  const words = wordsFrom(7)
  const model = scriptedModel(() => words(characters))
  const app = agent().compile({ checkpointer, ...cache, model, name: 'bench' })
  const at = { tenant: 'bench', user: 'bench', thread: 'storage' }
  const perTurn: { postgresBytes: number; redisBytes: number }[] = []
  let compactionBytes = 0
  try {
    for (let turn = 1; turn <= turns; turn++) {
      running.taken()
      await app.run({ messages: [user(words(characters))] }, at)
      const { postgres, redis } = running.taken()
      const compactions = postgres.filter(({ operations }) => operations.some((name) => snapshots.has(name)))
      const rewrites = redis.filter((entry) => isRewrite(entry))
      compactionBytes += bytes(compactions) + bytes(rewrites)
      perTurn.push({
        postgresBytes: bytes(postgres) - bytes(compactions),
        redisBytes: bytes(redis) - bytes(rewrites),
      })
    }
    return {
      turns: Object.fromEntries(marks.map((mark) => [mark, meanOf(perTurn.slice(mark - 10, mark))])),
      compactionBytes,
      totalBytes: await totalBytes(sql),
      load: await loading(running, () => app.state(at)),
      characters,
    }
  } finally {
    await running.close()
  }
}

/** The write of a whole state is the only one that is several times a turn's text. */
function isRewrite({ operations, bytesIn }: WireEntry): boolean {
  return operations.includes('EVALSHA') && bytesIn > characters * 16
}

function bytes(entries: readonly WireEntry[]): number {
  return entries.reduce((sum, { bytesIn }) => sum + bytesIn, 0)
}

function meanOf(rows: readonly { postgresBytes: number; redisBytes: number }[]) {
  const mean = (pick: (row: (typeof rows)[number]) => number) =>
    Math.round(rows.reduce((sum, row) => sum + pick(row), 0) / rows.length)
  return { postgresBytes: mean((row) => row.postgresBytes), redisBytes: mean((row) => row.redisBytes) }
}

/** Heap, TOAST and indexes of every table, without the room that updated rows left behind and autovacuum would reuse. */
async function totalBytes(sql: NeonQueryFunction<false, false>): Promise<number> {
  const tables = await sql.query(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'recollect'",
  )
  let total = 0
  for (const { name } of tables as { name: string }[]) {
    await sql.query(`vacuum full ${name}`)
    const [row] = (await sql.query('select pg_total_relation_size($1)::int as bytes', [name])) as { bytes: number }[]
    total += row?.bytes ?? 0
  }
  return total
}

async function loading({ taken }: Stack, load: () => Promise<unknown>) {
  taken()
  const times: number[] = []
  for (let index = 0; index < loads; index++) {
    const startedAt = performance.now()
    await load()
    times.push(performance.now() - startedAt)
  }
  const statements = taken().postgres.reduce((sum, { operations }) => sum + operations.length, 0) / loads
  return { statements, p50Ms: rounded(percentile(times, 0.5)) }
}

/** Text that compresses as badly as words do, the same every time. */
function wordsFrom(seed: number): (length: number) => string {
  let state = seed
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state
  }
  return (length) => {
    let text = ''
    while (text.length < length) text += `${random().toString(36)} `
    return text.slice(0, length)
  }
}
