// All that a deployment keeps, as text: every row of every table, every key of Redis with what is under it, every row of the index.
import { neon } from '@neondatabase/serverless'
import { Redis } from '@upstash/redis'
import { Index } from '@upstash/vector'
import type { TemporaryServices } from '../bench/stack.ts'

export interface Leftovers {
  /** `table row`, of tables that have any. */
  readonly rows: readonly string[]
  readonly tables: readonly string[]
  /** But the mark that turns are being taken. */
  readonly keys: readonly { readonly name: string; readonly elements: readonly string[]; readonly livesMs: number }[]
  readonly vectors: readonly string[]
}

export async function leftoversOf({ variables }: TemporaryServices): Promise<Leftovers> {
  const sql = neon(variables.DATABASE_URL ?? '')
  const tables = await sql.query("select tablename from pg_tables where schemaname = 'recollect' order by 1")
  const rows: string[] = []
  for (const { tablename } of tables) {
    const found = await sql.query(`select t::text as row from recollect.${tablename} t`)
    rows.push(...found.map(({ row }) => `${tablename} ${row}`))
  }
  const names = tables.map(({ tablename }) => String(tablename))
  const [keys, vectors] = [await redisKeys(variables), await vectorRows(variables)]
  return { rows, tables: names, keys, vectors }
}

async function redisKeys({ UPSTASH_REDIS_REST_URL: url = '', UPSTASH_REDIS_REST_TOKEN: token = '' }) {
  const redis = new Redis({ url, token, automaticDeserialization: false })
  const keys: Leftovers['keys'][number][] = []
  for (const name of await redis.keys('*')) {
    if (name.startsWith('recollect:active:')) continue
    // Another kind of key would have to be read another way.
    const type = await redis.type(name)
    if (type !== 'list') throw new Error(`${name} is a ${type}: read it here too.`)
    keys.push({ name, elements: await redis.lrange<string>(name, 0, -1), livesMs: await redis.pttl(name) })
  }
  return keys
}

async function vectorRows({ UPSTASH_VECTOR_REST_URL: url = '', UPSTASH_VECTOR_REST_TOKEN: token = '' }) {
  const index = new Index({ url, token })
  const rows: string[] = []
  for (const namespace of await index.listNamespaces()) {
    let cursor = '0'
    do {
      const page = await index.range({ cursor, limit: 100, includeData: true, includeMetadata: true }, { namespace })
      rows.push(...page.vectors.map((vector) => `${namespace} ${JSON.stringify(vector)}`))
      cursor = page.nextCursor
    } while (cursor !== '' && cursor !== '0')
  }
  return rows
}
