// A process that dies at any call of put, delete or forget: what was said to be saved is there, what was said to be forgotten is found
// by nobody, by search, get, list, export or recall; and once a sweep has run, the index has what the truth has.
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { indexKindOf } from '../../local/vector/index-kind.ts'
import { type ThrowawayVector, throwawayVector } from '../../local/vector/throwaway-vector.ts'
import { neonStore } from '../../src/adapters/neon/index.ts'
import { upstashItemIndex } from '../../src/adapters/upstash/index.ts'
import { serve } from '../../src/http/index.ts'
import { agent, indexedStore, sweep } from '../../src/index.ts'
import { boundMemory } from '../../src/memory/memory.ts'
import type { Store } from '../../src/ports/index.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'
import { secret, tokenFor } from '../http/deployment.ts'

let database: NeonDatabase
let vector: ThrowawayVector
let tenants = 0
let tenant: string
beforeAll(async () => {
  database = await pgliteDatabase()
  vector = await throwawayVector({ kind: indexKindOf('sparse'), embeds: false })
})
afterAll(async () => {
  vi.restoreAllMocks()
  await vector?.stop()
  await database?.close()
})
beforeEach(() => {
  tenant = `tenant-${++tenants}`
  // A crash on the way to an answer is told there.
  vi.spyOn(console, 'error').mockImplementation(() => {})
})

/** Before the service had it, or after it had done it and before its answer came. Nothing is sent after that, as after a crash. */
type Break = { readonly at: number; readonly when: 'before' | 'after' }

class Crash extends Error {}

/** One process: every call of Postgres and of the index goes through one count. */
function processOf(breaks?: Break) {
  let calls = 0
  let dead = false
  const io = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (dead) throw new Crash()
    const mine = calls++
    const hit = mine === breaks?.at
    if (hit && breaks?.when === 'before') {
      dead = true
      throw new Crash()
    }
    const result = await work()
    if (hit) dead = true
    if (dead) throw new Crash()
    return result
  }
  const sql = {
    query: (text: string, ...rest: [unknown[]?, object?]) => io(() => database.sql.query(text, ...rest)),
  }
  const index = upstashItemIndex({ url: vector.url, token: vector.token, kind: 'sparse' })
  const seamed: typeof index = {
    setup: index.setup,
    upsert: (...given) => io(() => index.upsert(...given)),
    delete: (...given) => io(() => index.delete(...given)),
    query: (...given) => io(() => index.query(...given)),
  }
  const store = indexedStore({ items: neonStore(sql, { indexed: true }), index: seamed })
  return { store, calls: () => calls, dead: () => dead }
}

const namespace = ['users', 'alex']

/** With all that it defers; whether it was said to be done. */
async function attempt(
  store: Store,
  work: (store: Store, defer: (work: Promise<unknown>) => void) => Promise<unknown>,
) {
  const deferred: Promise<unknown>[] = []
  const said = await work(store, (more) => void deferred.push(more)).then(
    () => true,
    () => false,
  )
  await Promise.allSettled(deferred)
  return said
}

function served(store: Store) {
  const { checkpointer } = database
  const chat = agent().compile({ checkpointer, store, model: scriptedModel(() => 'yes'), name: 'chat' })
  return serve({ graphs: { chat }, checkpointer, store, auth: { secret } })
}

/** By which ways a text is found, in a process that knows nothing of the others. */
async function waysTo(word: string): Promise<string[]> {
  const { store } = processOf()
  const has = (found: unknown) => JSON.stringify(found ?? null).includes(word)
  const memory = boundMemory({
    ...{ store, tenant, namespace, effects: {}, author: undefined, keyFor: (text) => text, recalled: () => {} },
  })
  const app = served(store)
  const headers = { authorization: `Bearer ${await tokenFor({ tenant, sub: 'alex' })}` }
  const ways: Record<string, unknown> = {
    search: await store.search({ tenant, prefix: namespace, query: word }),
    get: await store.get({ tenant, namespace, key: 'k' }),
    list: await store.search({ tenant, prefix: [] }),
    recall: await memory.recall(word),
    export: await (await app.request('/memories/export', { headers })).text(),
  }
  return Object.entries(ways).flatMap(([name, found]) => (has(found) ? [name] : []))
}

/** What the cron does later, also what dead processes left behind. */
async function swept(): Promise<{ readonly behind: number; readonly messages: number; readonly vectors: number }> {
  const { store } = processOf()
  for (let time = 0; time < 3; time++) {
    await database.sql`update recollect.outbox set due_at = now() - interval '1 second', token = null where tenant = ${tenant}`
    await sweep({ checkpointer: database.checkpointer, graphs: {}, store })
  }
  const [counts] = await database.sql`select
    (select count(*)::int from recollect.items where tenant = ${tenant} and settled_version < version) as behind,
    (select count(*)::int from recollect.outbox where tenant = ${tenant}) as messages`
  const { behind, messages } = counts as { behind: number; messages: number }
  const vectors = await vectorCount()
  return { behind, messages, vectors }
}

const everywhere = ['search', 'get', 'list', 'recall', 'export']
const put: Parameters<typeof attempt>[1] = (store, defer) =>
  store.put({ tenant, namespace, key: 'k', value: { text: 'the zanzibar canary' }, defer })
const change: Parameters<typeof attempt>[1] = (store, defer) =>
  store.put({ tenant, namespace, key: 'k', value: { text: 'the oslo canary' }, defer })
const remove: Parameters<typeof attempt>[1] = (store, defer) => store.delete({ tenant, namespace, key: 'k', defer })
/** As the tool and the route forget: found by id, then deleted. */
const forget: Parameters<typeof attempt>[1] = async (store, defer) => {
  const [item] = (await store.search({ tenant, prefix: namespace })).items
  const found = await store.find({ tenant, prefix: namespace, ids: [item?.id ?? ''], refresh: false })
  for (const { namespace: place, key } of found) await store.delete({ tenant, namespace: place, key, defer })
}
const forgetPerson: Parameters<typeof attempt>[1] = async (store, defer) => {
  const headers = { authorization: `Bearer ${await tokenFor({ tenant, sub: 'alex' })}` }
  const asked = { method: 'POST', headers, body: JSON.stringify({ user: 'alex' }) }
  const context = { waitUntil: defer, passThroughOnException: () => {}, props: {} }
  const answer = await served(store).request('/memories/forget', asked, {}, context)
  if (answer.status !== 200) throw new Crash()
}

test.each([
  { name: 'a first put', before: [], work: put, word: 'zanzibar', gone: false },
  { name: 'a put that replaces', before: [put], work: change, word: 'oslo', gone: false },
  { name: 'what a put replaced', before: [put], work: change, word: 'zanzibar', gone: true },
  { name: 'a delete', before: [put], work: remove, word: 'zanzibar', gone: true },
  { name: 'forgetting by id', before: [put], work: forget, word: 'zanzibar', gone: true },
  { name: 'forgetting a person', before: [put], work: forgetPerson, word: 'zanzibar', gone: true },
])(
  '$name, broken at each of its calls',
  async ({ before, work, word, gone }) => {
    const whole = processOf()
    const prepare = async () => {
      tenant = `tenant-${++tenants}`
      for (const earlier of before) await attempt(processOf().store, earlier)
    }
    await prepare()
    expect(await attempt(whole.store, work)).toBe(true)
    expect(whole.calls()).toBeGreaterThan(2)
    await database.sql`delete from recollect.outbox`
    let said = 0
    for (let at = 0; at < whole.calls(); at++) {
      for (const when of ['before', 'after'] as const) {
        await prepare()
        const others = await vectorCount()
        const broken = processOf({ at, when })
        const done = await attempt(broken.store, work)
        expect(broken.dead(), `${at} ${when}`).toBe(true)
        if (done) said++
        for (const later of [false, true]) {
          const ways = await waysTo(word)
          const place = `call ${at}, ${when} it, ${later ? 'after' : 'before'} the sweep`
          // Not said to be done, it is done or not, but the same by every way.
          if (done) expect(ways, place).toEqual(gone ? [] : everywhere)
          else expect([[], everywhere], place).toContainEqual(ways)
          if (later) continue
          const { behind, messages, vectors } = await swept()
          expect([behind, messages], place).toEqual([0, 0])
          const kept = (await database.sql`select 1 from recollect.items where tenant = ${tenant}`).length
          expect(vectors - others, place).toBe(kept - before.length)
        }
      }
    }
    expect(said).toBeGreaterThan(0)
  },
  120_000,
)

async function vectorCount(): Promise<number> {
  const answer = await fetch(`${vector.url}/info`, { headers: { authorization: `Bearer ${vector.token}` } })
  const { result } = (await answer.json()) as { result: { vectorCount: number } }
  return result.vectorCount
}
