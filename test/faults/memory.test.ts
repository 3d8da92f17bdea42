// A part of `npm run faults -- memory`: all of it in memory, some in Postgres with an index; and that a store which is wrong is
// found out.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { brokenAt } from '../../faults/memory.ts'
import { behindIndex, type Data, inMemory, type Place } from '../../faults/memory-places.ts'
import { memoryScenarios } from '../../faults/memory-scenarios.ts'
import type { Store } from '../../src/ports/index.ts'
import { pgliteDatabase } from '../contract/neon-database.ts'

// A request that is broken says so there.
beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
})
afterAll(() => vi.restoreAllMocks())

function told() {
  const lines: string[] = []
  return { lines, say: (line: string) => void lines.push(line) }
}

test('what is put, deleted, forgotten and extracted in memory is broken at every call, and nothing is wrong', async () => {
  const { lines, say } = told()
  const { cases, wrong } = await brokenAt(inMemory(), say)
  expect(lines).toEqual([])
  expect(cases).toBeGreaterThan(100)
  expect(wrong).toBe(0)
}, 60_000)

test('a put, forgetting an item and forgetting a person survive a crash behind every call in Postgres with an index', async () => {
  const { sql, close } = await pgliteDatabase()
  const place = await behindIndex((text, parameters = []) => sql.query(text, parameters), close)
  const { lines, say } = told()
  const scenarios = memoryScenarios.filter(({ name }) => /replaces|an item|a person/.test(name))
  try {
    const { cases } = await brokenAt(place, say, { scenarios, modes: ['crash-after'] })
    expect(lines).toEqual([])
    expect(cases).toBeGreaterThan(15)
  } finally {
    await place.close()
  }
}, 240_000)

const faulty: Record<string, Partial<Store>> = {
  'a put': { put: async () => ({ outcome: 'saved', id: 'x'.repeat(24), version: 1 }) },
  'a delete': { delete: async () => true },
}

test.each(Object.entries(faulty))(
  'a store that says that it has done %s, and has not, is found out',
  async (name, change) => {
    const { data, ...place } = inMemory()
    const wrong: Place = {
      ...place,
      data: (tenant) => {
        const sound = data(tenant)
        const open: Data['open'] = (io) => {
          const { checkpointer, store } = sound.open(io)
          const get = (target: Store, member: keyof Store) => change[member] ?? target[member]
          return {
            checkpointer,
            store: new Proxy(store, { get: (target, member) => get(target, member as keyof Store) }),
          }
        }
        return { ...sound, open }
      },
    }
    const scenarios = memoryScenarios.filter((each) => each.name.includes(name === 'a put' ? 'first put' : name))
    await expect(brokenAt(wrong, () => {}, { scenarios })).rejects.toThrow('goes wrong by itself')
  },
)
