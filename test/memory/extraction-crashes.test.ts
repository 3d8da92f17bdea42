// Extraction beside other writers, in memory and in Postgres: what changes meanwhile is read again; a person who is forgotten stays
// forgotten. That it survives every call that fails is in test/faults/memory.test.ts.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { neonCheckpointer, neonStore } from '../../src/adapters/neon/index.ts'
import { serve } from '../../src/http/index.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'
import { secret, tokenFor } from '../http/deployment.ts'
import { extractingOver, inMemory, type Storage, scripted, writing } from './extracting.ts'

let database: NeonDatabase
beforeAll(async () => {
  database = await pgliteDatabase()
})
afterAll(async () => {
  await database?.close()
})

async function inPostgres(): Promise<Storage> {
  for (const table of ['items', 'item_history', 'outbox', 'threads', 'checkpoints', 'runs', 'writes']) {
    await database.sql.query(`delete from recollect.${table}`)
  }
  return {
    checkpointer: neonCheckpointer(database.sql),
    store: neonStore(database.sql),
    pass: (ms) =>
      database.sql.query(`update recollect.outbox set due_at = due_at - $1 * interval '1 millisecond'`, [ms]),
  }
}

const storages = { memory: async () => inMemory(), Postgres: inPostgres }

describe.each(Object.entries(storages))('in %s', (_, fresh) => {
  test('two at work on one thread write once', async () => {
    const storage = await fresh()
    let times = 0
    const written = () => writing({ action: 'add', text: `Prefers ${['dark', 'black'][times++]}.`, from: [1] })
    const { say, app, items, log } = extractingOver(storage, { written })
    await say('I prefer dark mode')
    const deliver = app.deliverer.deliver.$extract
    const message = { tenant: 'acme', thread: 't', id: '', topic: '', run: '', graph: '', attempt: 1, createdAt: '' }
    const context = { env: {}, signal: new AbortController().signal }
    await Promise.all([1, 2].map(() => deliver?.({ ...message, payload: null }, context)))
    expect(times).toBe(2)
    const [item, ...others] = await items()
    expect(others).toEqual([])
    expect(await log()).toMatchObject({ did: [{ action: 'added', memory: item?.id }] })
  })

  test('two threads of one person that are read at once are as one after the other: what contradicts replaces', async () => {
    const storage = await fresh()
    const both = Promise.withResolvers<void>()
    let asked = 0
    const { say, quiet, facts, items } = extractingOver(storage, {
      written: async (...given) => {
        if (++asked === 2) both.resolve()
        await both.promise
        return scripted(...given)
      },
    })
    await say('I live in Paris', 'a')
    await say('I live in Rome', 'b')
    await quiet()
    expect(await facts()).toHaveLength(1)
    const [{ key } = { key: '' }] = await items()
    const versions = await storage.store.history({ tenant: 'acme', namespace: ['users', 'alex'], key })
    expect(versions.map(({ value }) => value.text).toSorted()).toEqual(['Lives in Paris.', 'Lives in Rome.'])
    expect(asked).toBe(3)
  })

  test('a memory that changes meanwhile is read again, and no change is lost', async () => {
    const storage = await fresh()
    const at = { tenant: 'acme', namespace: ['users', 'alex'], key: 'deploys' }
    await storage.store.put({ ...at, value: { text: 'Deploys on Heroku.' }, author: 'alex' })
    let times = 0
    const { say, quiet, asked } = extractingOver(storage, {
      written: async (...given) => {
        if (times++ === 0) await storage.store.put({ ...at, value: { text: 'Deploys on Render.' }, author: 'alex' })
        return scripted(...given)
      },
    })
    await say('I deploy on Fly')
    await quiet()
    expect(asked().map((request) => /Deploys on (\w+)/.exec(request)?.[1])).toEqual(['Heroku', 'Render'])
    const versions = await storage.store.history(at)
    expect(versions.map(({ value }) => value.text)).toEqual([
      ...['Deploys on Fly.', 'Deploys on Render.', 'Deploys on Heroku.'],
    ])
  })

  test('a person who is forgotten while the model thinks stays forgotten', async () => {
    const storage = await fresh()
    const { checkpointer, store } = storage
    let forgotten = 0
    const extracting = extractingOver(storage, {
      written: async () => {
        const token = await tokenFor({ tenant: 'acme', sub: 'alex' })
        const http = serve({ graphs: { chat: extracting.app }, checkpointer, store, auth: { secret } })
        const response = await http.request('/memories/forget', {
          ...{ method: 'POST', headers: { authorization: `Bearer ${token}` }, body: JSON.stringify({ user: 'alex' }) },
        })
        forgotten = response.status
        return writing({ action: 'add', text: 'Prefers canaries.', from: [1] })
      },
    })
    await extracting.say('I prefer canaries')
    await extracting.quiet()
    await extracting.quiet(3_600_000)
    expect(forgotten).toBe(200)
    const left = await store.search({ tenant: 'acme', prefix: [], refresh: false })
    expect(left.items).toEqual([])
  })

  test('a thread that is deleted takes along how far it was read, and what was remembered stays', async () => {
    const storage = await fresh()
    const { checkpointer, store } = storage
    const { say, quiet, facts, app, log } = extractingOver(storage)
    await say('I prefer dark mode')
    await quiet()
    expect(await log()).toBeDefined()
    await say('I prefer light mode')
    const http = serve({ graphs: { chat: app }, checkpointer, store, auth: { secret } })
    const headers = { authorization: `Bearer ${await tokenFor({ tenant: 'acme', sub: 'alex' })}` }
    expect((await http.request('/threads/t', { method: 'DELETE', headers })).status).toBe(204)
    expect(await quiet(3_600_000)).toEqual({ delivered: 1, postponed: 0, failed: 0 })
    expect(await log()).toBeUndefined()
    expect(await facts()).toEqual(['Prefers dark mode.'])
  })

  test('a thread that is read at the moment that it is deleted leaves nothing of how far', async () => {
    const storage = await fresh()
    const { checkpointer, store } = storage
    const { say, quiet, app, log } = extractingOver(storage)
    await say('I prefer dark mode')
    const deletes = checkpointer.threads.delete.bind(checkpointer.threads)
    vi.spyOn(checkpointer.threads, 'delete').mockImplementation((key) => quiet().then(() => deletes(key)))
    const http = serve({ graphs: { chat: app }, checkpointer, store, auth: { secret } })
    const headers = { authorization: `Bearer ${await tokenFor({ tenant: 'acme', sub: 'alex' })}` }
    expect((await http.request('/threads/t', { method: 'DELETE', headers })).status).toBe(204)
    expect(await log()).toBeUndefined()
  })
})
