// A thread that is deleted is gone: no row of any table and no element of any Redis key has a word of it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { embedded } from '../bench/servers.ts'
import { type TemporaryServices, temporaryServices } from '../bench/stack.ts'
import { tokenFor } from '../local/secrets.ts'
import { append, StateGraph, sweep } from '../src/index.ts'
import { compile } from '../workers/compile.ts'
import { leftoversOf } from './leftovers.ts'
import { withoutTimeLimits } from './time-limits.ts'
import { until } from './until.ts'

withoutTimeLimits()
let services: TemporaryServices
beforeAll(async () => {
  services = await temporaryServices(embedded)
})
afterAll(() => services?.close())

const canary = 'canary-7f3a'
const at = { tenant: 'acme', user: 'ada', thread: `t-${canary}` }

async function everything() {
  const { rows, tables, keys } = await leftoversOf(services)
  const elements = keys.flatMap((key) => key.elements)
  return { tables: tables.length, rows: rows.filter((row) => row.includes(canary)), elements }
}

test('a canary grep finds a thread everywhere before it is deleted, and nowhere after', async () => {
  const { app, checkpointer, cache, events } = compile(services.variables)
  const storage = { checkpointer, ...(cache && { cache }), ...(events && { events }) }
  let fails = true
  const graph = new StateGraph({
    state: { log: append<string>() },
    nodes: {
      told: async (_, { outbox, task }) => {
        outbox('told', canary)
        return { log: await task('part', () => canary) }
      },
      shaky: () => {
        if (fails) throw new Error('not now')
      },
    },
    edges: { start: ['told', 'shaky'] },
  }).compile({ ...storage, deliver: { told: () => {} } })
  const graphs = { default: graph }
  const endpoint = { url: 'https://a.example/', events: ['run.finished', 'run.failed'] as const, sealed: 's' }
  await checkpointer.webhooks.createEndpoint({ tenant: at.tenant, id: 'we_1' }, endpoint, 1)
  await expect(graph.invoke({ log: canary }, { ...at, record: true, key: canary })).rejects.toMatchObject({
    code: 'node_failed',
  })
  fails = false
  await graph.invoke(null, { ...at, record: true })
  await graph.invoke({ log: 'x'.repeat(40_000) }, { ...at, record: true })
  await graph.invoke({ log: canary }, { ...at, record: true })
  fails = true
  await graph.invoke({ log: canary }, { ...at, record: true }).catch(() => {})

  const before = await everything()
  expect(before.tables).toBeGreaterThan(5)
  expect(new Set(before.rows.map((row) => row.split(' ')[0]))).toEqual(
    new Set(['threads', 'runs', 'checkpoints', 'writes', 'outbox']),
  )
  await until(async () => expect((await everything()).elements.length).toBeGreaterThan(1))

  const token = await tokenFor(services.secrets, { tenant: at.tenant, user: at.user, scopes: ['chat'] })
  const headers = { authorization: `Bearer ${token}` }
  expect((await app.request(`/threads/${at.thread}`, { method: 'DELETE', headers })).status).toBe(204)
  await sweep({ checkpointer, graphs, cache, events })
  const after = await everything()
  expect(after.rows).toEqual([])
  expect(after.elements.toSorted()).toEqual(['9007199254740991.0.', 'deleted'])
})
