// What outlives the process.
import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Index } from '@upstash/vector'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { indexKindOf } from '../../../local/vector/index-kind.ts'
import { type LocalVector, upstashVector } from '../../../local/vector/server.ts'

const token = 'a-token'
let folder: string
let file: string
let server: LocalVector | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vector-journal-'))
  file = join(folder, 'data', 'vector.jsonl')
})
afterEach(async () => {
  await server?.close()
  server = undefined
  rmSync(folder, { recursive: true })
})

/** Opens the file again, after the last one that had it open. */
async function open(kind?: string): Promise<Index> {
  await server?.close()
  server = undefined
  server = await upstashVector({ token, file, kind: kind === undefined ? undefined : indexKindOf(kind) })
  return new Index({ url: server.url, token, retry: { retries: 0 } })
}

const all = { includeVectors: true, includeMetadata: true, includeData: true } as const

async function contents(index: Index) {
  const names = await index.listNamespaces()
  const pages = await Promise.all(
    names.map((name) => index.namespace(name).range({ cursor: 0, limit: 10_000, ...all })),
  )
  return Object.fromEntries(names.map((name, at) => [name, pages[at]]))
}

it('everything is there again: vectors to the last bit, metadata, data, namespaces, places, and the kind of index', async () => {
  const index = await open('hybrid/3/euclidean')
  const row = (id: string, x: number) => ({
    id,
    vector: [x, 1 / 3, -1e-30],
    sparseVector: { indices: [-1, 7], values: [0.1, x] },
    metadata: { x, deep: { list: [1, null, 'é'] } },
    data: `text ${id}`,
  })
  await index.upsert([row('a', 1), row('b', 2), row('c', 3)])
  await index.namespace('one').upsert([row('a', 4), row('b', 5)])
  await index.namespace('empty').upsert(row('a', 6))
  await index.namespace('gone').upsert(row('a', 7))
  await index.update({ id: 'b', metadata: { x: 9 }, metadataUpdateMode: 'PATCH' })
  await index.delete('a')
  await index.upsert(row('a', 8))
  await index.namespace('empty').reset()
  await index.deleteNamespace('gone')
  const { vector, sparseVector } = row('', 2)
  const query = { vector, sparseVector, topK: 3, ...all }
  const before = [await contents(index), await index.info(), await index.query(query)]
  const again = await open()
  expect([await contents(again), await again.info(), await again.query(query)]).toEqual(before)
  expect(await again.info()).toMatchObject({ dimension: 3, similarityFunction: 'EUCLIDEAN', indexType: 'HYBRID' })
  const { vectors } = await again.range({ cursor: 0, limit: 10 })
  expect(vectors.map(({ id }) => id)).toEqual(['b', 'c', 'a'])
})

it('a server that is killed has kept every write it answered', async () => {
  const program = `
    const { upstashVector } = await import(${JSON.stringify(new URL('../../../local/vector/server.ts', import.meta.url).href)})
    const { url } = await upstashVector({ token: 'a-token', file: ${JSON.stringify(file)},
      kind: { type: 'DENSE', dimension: 64, similarity: 'COSINE' } })
    process.stdout.write(url)`
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', program])
  const url = await new Promise<string>((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk))))
  const client = new Index({ url, token, retry: false })
  const vector = (n: number) => Array.from({ length: 64 }, (_, at) => Math.fround(n + at / 64))
  let answered = 0
  const writing = (async () => {
    for (let n = 1; ; n++) {
      await client.upsert({ id: `row ${n}`, vector: vector(n) })
      answered = n
    }
  })().catch(() => undefined)
  await expect.poll(() => answered).toBeGreaterThan(50)
  child.kill('SIGKILL')
  await writing
  const index = await open()
  const { vectorCount, pendingVectorCount } = await index.info()
  expect(pendingVectorCount).toBe(0)
  // One may have been written and not been answered; `retry: false` sends it once more, to nobody.
  expect(vectorCount).toBeGreaterThanOrEqual(answered)
  expect(vectorCount).toBeLessThanOrEqual(answered + 1)
  const ids = Array.from({ length: answered }, (_, at) => `row ${at + 1}`)
  const rows = await index.fetch(ids, { includeVectors: true })
  expect(rows.map((row) => row?.vector?.map(Math.fround))).toEqual(ids.map((_, at) => vector(at + 1)))
})

it('a journal that is mostly history is written anew, and a cursor goes on where it was', async () => {
  const index = await open('dense/8')
  const vector = Array.from({ length: 8 }, (_, at) => at + 1)
  await index.upsert(Array.from({ length: 250 }, (_, at) => ({ id: `row ${at}`, vector })))
  await index.delete(Array.from({ length: 50 }, (_, at) => `row ${at}`))
  const { nextCursor } = await index.range({ cursor: 0, limit: 10 })
  const metadata = { text: 'x'.repeat(40_000) }
  for (let at = 0; at < 40; at++) await index.upsert({ id: 'big', vector, metadata: { ...metadata, at } })
  expect(statSync(file).size).toBeLessThan(1_200_000)
  await index.namespace('after').upsert({ id: 'a', vector })
  const before = await contents(index)
  const again = await open()
  expect(await contents(again)).toEqual(before)
  expect((await again.range({ cursor: nextCursor, limit: 1 })).vectors).toEqual([{ id: 'row 60' }])
})

it('what was pending when the process ended is found after it', async () => {
  const index = await open('dense/2')
  if (server) server.knobs.consistencyDelayMs = 3_600_000
  await index.upsert({ id: 'a', vector: [1, 0] })
  expect(await index.query({ vector: [1, 0], topK: 1 })).toEqual([])
  expect(await (await open()).query({ vector: [1, 0], topK: 1 })).toEqual([{ id: 'a', score: 1 }])
})

it('another kind than that of the data is refused, with both and the way out', async () => {
  await open('dense/8')
  await expect(open('dense/9')).rejects.toThrow(
    'holds a vector index of the kind dense/8/cosine, and dense/9/cosine was asked for. Delete the file',
  )
  await open('dense/8')
})

it('a torn last line is dropped; any other damage is an error that names the line', async () => {
  const index = await open('dense/2')
  await index.upsert({ id: 'a', vector: [1, 0] })
  appendFileSync(file, '{"do":"upsert","namespace":"","rows":[{"id":"b"')
  expect((await (await open()).info()).vectorCount).toBe(1)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(2)
  writeFileSync(file, `${lines[0]}\n{"do":"nothing"}\n${lines[1]}\n`)
  await expect(open()).rejects.toThrow('line 2: not a journal line')
})
