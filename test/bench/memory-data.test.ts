// The data of the memory bench: what is read, what is refused, and that its baseline ranks as BM25 does.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bm25 } from '../../bench/bm25.ts'
import { memoryData } from '../../bench/memory-data.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'recollect-data-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const item = { kind: 'item', id: 'a', namespace: ['users', 'x'], text: 'one', before: 'zero' }
const question = { kind: 'question', id: 'q', namespace: ['users', 'x'], text: 'which?', answers: ['a'] }

async function read(...lines: readonly unknown[]) {
  const file = join(directory, 'data.jsonl')
  await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join('\n'))
  const said: string[] = []
  return { ...(await memoryData(file, (line) => void said.push(line))), said }
}

test('items and questions are read; a question that nothing in its namespace answers is left out, and told', async () => {
  const elsewhere = { ...question, id: 'r', namespace: ['users', 'y'] }
  const { items, questions, said } = await read(item, question, elsewhere)
  expect([items.length, questions.map(({ id }) => id)]).toEqual([1, ['q']])
  expect(said).toEqual([expect.stringMatching(/data\.jsonl:5: left out, since no item of \["users","y"\] answers "r"/)])
  await expect(read(item, elsewhere)).rejects.toThrow(/no question/)
  const many = Array.from({ length: 9 }, (_, n) => ({ ...elsewhere, id: `r${n}` }))
  expect((await read(item, question, ...many)).said).toHaveLength(6)
})

test.each([
  [{ ...item, text: 1 }],
  [{ ...item, namespace: 'users' }],
  [{ ...question, answers: 'a' }],
  [{ kind: 'x' }],
  [null],
])('a line that is neither is refused, with its place: %j', async (line) => {
  await expect(read(item, line)).rejects.toThrow(/data\.jsonl:3 is neither/)
})

test.each([
  ['what is not JSON', '{"kind":"item",', 'is not JSON'],
  ['a namespace of no segments', JSON.stringify({ ...item, namespace: [] }), 'namespace'],
  ['an id that is no key', JSON.stringify({ ...item, id: '' }), 'key'],
  ['a text of 70,000 characters', JSON.stringify({ ...item, text: 'x'.repeat(70_000) }), '65536'],
  [
    'an item that was there before',
    JSON.stringify({ ...item, text: 'two' }),
    'a second item "a".*first is .*data\\.jsonl:1',
  ],
])('%s is refused, with its place', async (_, line, message) => {
  const file = join(directory, 'hostile.data.jsonl')
  await writeFile(file, `\ufeff${JSON.stringify(item)}\r\n\r\n${line}\n${JSON.stringify(question)}`)
  const refused = { code: 'input_invalid', message: expect.stringMatching(new RegExp(`data\\.jsonl:3.*${message}`)) }
  await expect(memoryData(file, () => {})).rejects.toMatchObject(refused)
})

test('a file that is not there, or says nothing, is refused by name', async () => {
  await expect(memoryData(join(directory, 'none.jsonl'), () => {})).rejects.toThrow(/none\.jsonl cannot be read/)
  await expect(read()).rejects.toThrow(/data\.jsonl has no question/)
})

test('the file that ships is sound', async () => {
  const said: string[] = []
  const { items, questions } = await memoryData(new URL('../../bench/memory.jsonl', import.meta.url), (line) => {
    said.push(line)
  })
  expect([items.length, questions.length, said]).toEqual([54, 40, []])
})

test('rarer words, and shorter texts, rank higher; stems are words', () => {
  const texts = ['a canary deploys', 'a canary sings and eats and flies and sleeps', 'a dog deploys', 'a dog barks']
  const ranked = bm25(texts.map((text, n) => ({ id: `${n}`, namespace: [], text })))
  expect(ranked('deployment of canaries', 10)).toEqual(['0', '2', '1'])
  expect(ranked('the', 10)).toEqual([])
})
