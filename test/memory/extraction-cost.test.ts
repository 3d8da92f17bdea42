// What extraction costs: nothing before the answer, and little behind it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { neonCheckpointer, neonStore } from '../../src/adapters/neon/index.ts'
import { agent, extraction, user } from '../../src/index.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'
import { extractingOver } from './extracting.ts'

let database: NeonDatabase
let statements: string[]
const sql = {
  query: (text: string, ...rest: [unknown[]?, object?]) => {
    statements.push(/recollect\.(\w+)/.exec(text)?.[1] ?? text)
    return database.sql.query(text, ...rest)
  },
}
beforeAll(async () => {
  database = await pgliteDatabase()
})
afterAll(async () => {
  await database?.close()
})

function storage() {
  statements = []
  const pass = () => database.sql.query('update recollect.outbox set due_at = now()')
  return { checkpointer: neonCheckpointer(sql), store: neonStore(sql), pass }
}

test('a turn takes the statements that it takes without, before the answer and behind it', async () => {
  const { checkpointer, store } = storage()
  const model = scriptedModel(() => 'Noted.')
  const taken: string[][] = []
  for (const extract of [undefined, extraction()]) {
    const app = agent().compile({ checkpointer, store, model, ...(extract && { extract }) })
    for (let turn = 0; turn < 2; turn++) {
      statements = []
      await app.invoke(
        { messages: user('I prefer tea') },
        { tenant: 'acme', user: 'ada', thread: extract ? 'with' : 'without' },
      )
      taken.push(statements)
    }
  }
  const turn = ['begin_turn_v2', 'commit_step_v2']
  expect(taken).toEqual([turn, turn, turn, turn])
})

test('a quiet thread takes five statements, one a message and one a new fact, and three when nothing is new', async () => {
  const { say, app, facts } = extractingOver(storage())
  const message = { tenant: 'acme', thread: 't', id: '', topic: '', run: '', graph: '', attempt: 1, createdAt: '' }
  const context = { env: {}, signal: new AbortController().signal }
  const extracted = async () => {
    statements = []
    await app.deliverer.deliver.$extract?.({ ...message, payload: null }, context)
    return statements
  }
  await say('I prefer tea')
  expect(await extracted()).toHaveLength(8)
  await say('I live in Rome')
  expect(await extracted()).toHaveLength(7)
  await app.run(null, { tenant: 'acme', user: 'alex', thread: 't' })
  expect(await extracted()).toHaveLength(3)
  expect(await facts()).toEqual(['Lives in Rome.', 'Prefers tea.'])
})
