// Everything that must not make a tool run, on every road; and many copies of one answer at two workers.
import { expect, test } from 'vitest'
import { storm } from '../attacks/storm.ts'
import { attackRows } from '../attacks/table.ts'
import { memoryCheckpointer } from '../src/adapters/memory/index.ts'
import { pgliteDatabase } from './contract/neon-database.ts'

test('no attack makes a tool run that was not approved, or run twice', { timeout: 60_000 }, async () => {
  const rows = await attackRows(memoryCheckpointer())
  expect(rows.length).toBeGreaterThan(80)
  expect(rows.filter(({ executions, expected }) => executions !== expected)).toEqual([])
  const honest = rows.filter(({ attack }) => attack.startsWith('none'))
  expect(honest.map(({ road, executions }) => [road, executions])).toEqual(
    ['API', 'webhook', 'review page', 'runs route', 'useChat'].map((road) => [road, 1]),
  )
})

test('of five copies of an answer at two workers on one Postgres one is taken', { timeout: 60_000 }, async () => {
  const { checkpointer, close } = await pgliteDatabase()
  try {
    const result = await storm([checkpointer, checkpointer], { approvals: 8, copies: 5 })
    expect(result).toMatchObject({ approvals: 8, copies: 5, executions: 8, accepted: 8 })
  } finally {
    await close()
  }
})
