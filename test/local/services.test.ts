// Which models, which vector index and which schema the local stack starts with.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { neon } from '@neondatabase/serverless'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { realModels } from '../../local/real-models.ts'
import { applySchema } from '../../local/schema.ts'
import { localSecrets } from '../../local/secrets.ts'
import { type ServiceChoices, startServices } from '../../local/services.ts'

let data: string
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'recollect-services-'))
})
afterEach(() => rm(data, { recursive: true, force: true }))

/** What the Worker is told of the index. */
async function told(choices: ServiceChoices) {
  const { variables, close } = await startServices(data, await localSecrets(data), choices)
  await close()
  const { UPSTASH_VECTOR_KIND: kind, EMBEDDING_MODEL: model, EMBEDDING_DIMENSIONS: dimensions } = variables
  return { kind, model, dimensions }
}

test('without a real embedding model the index is sparse, and stays it when there is one', async () => {
  const sparse = { kind: 'sparse', model: undefined, dimensions: undefined }
  expect(await told({})).toEqual(sparse)
  expect(await told(realModels({ OPENAI_API_KEY: 'sk-test' }))).toEqual(sparse)
}, 60_000)

test('with one it is hybrid, by that model', async () => {
  const models = realModels({ OPENAI_API_KEY: 'sk-test' })
  const hybrid = { kind: 'hybrid', model: 'text-embedding-3-small', dimensions: '1536' }
  expect(await told(models)).toEqual(hybrid)
  expect(await told(models)).toEqual(hybrid)
}, 60_000)

test('a service that is not OpenAI embeds with the model that is named, and with none otherwise', () => {
  expect(realModels({})).toEqual({})
  expect(realModels({ EMBEDDING_MODEL: 'nomic-embed-text' })).toEqual({})
  const there = { OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1' }
  expect(realModels(there)).toEqual({ model: { ...there, OPENAI_API_KEY: 'none' } })
  const named = realModels({ ...there, EMBEDDING_MODEL: 'nomic-embed-text', EMBEDDING_DIMENSIONS: '768' })
  expect(named.embedding).toEqual({ model: 'nomic-embed-text', dimensions: 768 })
})

test('the schema is applied once, and again when it was made another or is gone', async () => {
  const { variables, ready, close } = await startServices(data, await localSecrets(data))
  try {
    await ready()
    const url = variables.DATABASE_URL ?? expect.unreachable()
    const sql = neon(url)
    expect(await applySchema(url)).toBe(false)
    await sql.query("comment on schema recollect is 'another'")
    expect(await applySchema(url)).toBe(true)
    await sql.query('drop schema recollect cascade')
    expect(await applySchema(url)).toBe(true)
    expect(await applySchema(url)).toBe(false)
    expect(await sql.query('select count(*)::int as items from recollect.items')).toEqual([{ items: 0 }])
  } finally {
    await close()
  }
}, 60_000)
