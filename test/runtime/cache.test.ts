// The cache only ever saves time: whatever it holds, the answer is the thread's.
import { describe, expect, test } from 'vitest'
import { memoryCache, memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { append, last, StateGraph } from '../../src/index.ts'
import type { Cache, CacheEntry } from '../../src/ports/cache.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import { altered, at } from './doubles.ts'

const state = { log: append<string>(), note: last<string>(), size: last('') }
const graph = new StateGraph({
  state,
  nodes: { a: ({ log }) => ({ log: `seen ${log.length}` }), b: () => ({ log: 'b' }) },
  edges: { start: 'a', a: 'b' },
})
const key = { tenant: at.tenant, thread: at.thread, owner: at.user }
/** Too long to come along with the claim, so that the cache or a load must give the state. */
const long = 'x'.repeat(20_000)

const counting = (inner: Checkpointer) => {
  const counted = { loads: 0 }
  const checkpointer = altered(inner, {
    loadChain: (load) => {
      counted.loads++
      return inner.loadChain(load)
    },
  })
  return { counted, checkpointer }
}

const house = (cache: Cache = memoryCache()) => {
  const { counted, checkpointer } = counting(memoryCheckpointer())
  return { cache, counted, checkpointer, app: graph.compile({ checkpointer, cache }) }
}

const turn = ['seen 1', 'b']

describe('a cached thread', () => {
  test('is not loaded again, turn after turn, and its entries are the thread', async () => {
    const { app, counted, cache } = house()
    await app.invoke({ size: long, log: 'a' }, at)
    for (let number = 0; number < 5; number++) await app.invoke({ log: 'more' }, at)
    expect(counted.loads).toBe(0)
    const entries = await cache.read(key)
    expect(entries).toHaveLength(6)
    expect(entries.at(-1)?.seq).toBe(18)
    // One turn appended, not the thread again.
    expect(entries.at(-1)?.text.length).toBeLessThan(200)
    const { values } = await app.state(at)
    expect(values.log).toHaveLength(18)
  })

  test('starts anew when what was appended outweighs the state', async () => {
    const { app, cache } = house()
    for (let number = 0; number < 12; number++) await app.invoke({ size: `${number}`.padEnd(5_000) }, at)
    expect((await cache.read(key)).length).toBeLessThan(8)
    const { values } = await app.state(at)
    expect((await app.invoke({}, at)).log.slice(0, values.log.length)).toEqual(values.log)
  })
})

describe('a cache that does not answer in time', () => {
  test('is not sent the thread again, but what each turn adds; and holds the thread when it answers again', async () => {
    const inner = memoryCache()
    const asked = { silent: false, replaced: 0 }
    const cache: Cache = {
      ...inner,
      read: (of) => (asked.silent ? Promise.reject(new Error('Too slow.')) : inner.read(of)),
      replace: (of, entry) => {
        asked.replaced++
        return inner.replace(of, entry)
      },
    }
    const { app, counted } = house(cache)
    await app.invoke({ size: long, log: 'a' }, at)
    asked.silent = true
    for (let number = 0; number < 3; number++) await app.invoke({ log: 'more' }, at)
    expect(asked.replaced).toBe(1)
    expect(counted.loads).toBe(3)
    asked.silent = false
    await app.invoke({ log: 'again' }, at)
    expect(counted.loads).toBe(3)
    expect(await inner.read(key)).toHaveLength(5)
  })

  test('and has lost a turn meanwhile, is right again after the next', async () => {
    const inner = memoryCache()
    let silent = false
    const cache: Cache = { ...inner, read: (of) => (silent ? Promise.reject(new Error('Too slow.')) : inner.read(of)) }
    const { app, counted } = house(cache)
    await app.invoke({ size: long, log: 'a' }, at)
    const kept = await inner.read(key)
    silent = true
    await app.invoke({ log: 'lost' }, at)
    await inner.replace(key, kept[0] ?? expect.unreachable())
    await app.invoke({ log: 'not appended' }, at)
    expect(await inner.read(key)).toHaveLength(1)
    silent = false
    await app.invoke({ log: 'behind' }, at)
    expect(counted.loads).toBe(3)
    await app.invoke({ log: 'right' }, at)
    expect(counted.loads).toBe(3)
    const { log } = (await app.state(at)).values
    expect(log.filter((_, index) => index % 3 === 0)).toEqual(['a', 'lost', 'not appended', 'behind', 'right'])
  })
})

describe('a state that the cache could not give back in time', () => {
  const limited = () => {
    const inner = memoryCache()
    const told = { written: 0 }
    const cache: Cache = {
      ...inner,
      longest: 40_000,
      append: (...given) => {
        told.written++
        return inner.append(...given)
      },
      replace: (...given) => {
        told.written++
        return inner.replace(...given)
      },
    }
    return { told, ...house(cache) }
  }

  test('is taken out once, not written at the turns after it, and its thread is right', async () => {
    const { app, cache, counted, told } = limited()
    await app.invoke({ size: long, log: 'a' }, at)
    expect(await cache.read(key)).toHaveLength(1)
    for (let number = 0; number < 5; number++) await app.invoke({ log: `${number}`.padEnd(10_000) }, at)
    expect(await cache.read(key)).toEqual([])
    const { written } = told
    const { log } = await app.invoke({ log: 'more' }, at)
    expect(told.written).toBe(written)
    expect(counted.loads).toBe(1)
    expect(log.filter((_, index) => index % 3 === 0).map((text) => text.trim())).toEqual([
      'a',
      '0',
      '1',
      '2',
      '3',
      '4',
      'more',
    ])
  })

  test('is taken out also by a turn that got no answer from the cache', async () => {
    const { app, cache } = limited()
    await cache.replace(key, { seq: 1, hash: 'h', text: 'what was kept' })
    const silent: Cache = { ...cache, read: () => Promise.reject(new Error('Too slow.')) }
    const checkpointer = memoryCheckpointer()
    const slow = graph.compile({ checkpointer, cache: silent })
    await graph.compile({ checkpointer }).invoke({ size: long.repeat(3), log: 'a' }, at)
    await slow.invoke({ log: 'b' }, at)
    expect(await cache.read(key)).toEqual([])
    await app.invoke({ log: 'a' }, { ...at, thread: 'short' })
    expect(await cache.read({ ...key, thread: 'short' })).toHaveLength(1)
  })
})

describe('a cache that lies behind, ahead or elsewhere', () => {
  const corruptions: Record<
    string,
    (entries: readonly CacheEntry[], other: readonly CacheEntry[]) => readonly CacheEntry[]
  > = {
    'is empty': () => [],
    'lies behind by two turns': (entries) => entries.slice(0, -2),
    'is ahead': (entries) => entries.map((entry) => ({ ...entry, seq: entry.seq + 100 })),
    'has another hash': (entries) => entries.map((entry) => ({ ...entry, hash: 'forged' })),
    "holds another thread's state": (_, other) => other,
    "holds another thread's last turn": (entries, other) => [...entries.slice(0, -1), ...other.slice(-1)],
    'lost its first entry': (entries) => entries.slice(1),
    'holds garbage': (entries) => entries.map((entry) => ({ ...entry, text: '}{' })),
    'holds garbage that is JSON': (entries) => entries.map((entry) => ({ ...entry, text: '{"v":1,"s":5,"c":[1]}' })),
    'holds a newer format': (entries) => entries.map((entry) => ({ ...entry, text: '{"v":9,"s":{}}' })),
    'holds deltas where the state must be': (entries) => entries.slice(1).concat(entries.slice(0, 1)),
  }
  test.each(Object.entries(corruptions))(
    'that %s gives the right answer, and is right again after it',
    async (_, corrupt) => {
      const { app, cache, checkpointer, counted } = house()
      for (const thread of [at, { ...at, thread: 't-2' }]) {
        await app.invoke({ size: long, log: thread.thread, note: thread.thread }, thread)
        for (let number = 0; number < 3; number++) await app.invoke({ log: `${thread.thread} ${number}` }, thread)
      }
      const [entries, other] = [await cache.read(key), await cache.read({ ...key, thread: 't-2' })]
      const [first, ...rest] = corrupt(entries, other)
      if (first === undefined) await cache.delete(key)
      else {
        // Not deleted before: of a thread that was, nothing is kept for a while.
        await cache.replace(key, first)
        await cache.append(key, first, rest)
        expect(await cache.read(key)).toEqual([first, ...rest])
      }
      const truth = (await graph.compile({ checkpointer }).state(at)).values
      const answered = await app.invoke({ log: 'next' }, at)
      expect(answered).toEqual({ ...truth, log: [...truth.log, 'next', `seen ${truth.log.length + 1}`, 'b'] })
      counted.loads = 0
      const again = await app.invoke({ log: 'and next' }, at)
      expect(again).toEqual({ ...answered, log: [...answered.log, 'and next', `seen ${answered.log.length + 1}`, 'b'] })
      // The turn after it: the cache has been made good, or the thread was loaded, but nothing is wrong.
      expect((await app.state(at)).values).toEqual(again)
    },
  )

  test('that fails at every call is as good as none', async () => {
    const fail = () => Promise.reject(new Error('Redis is down'))
    const { app } = house({ longest: 1_000, read: fail, append: fail, replace: fail, delete: fail })
    await app.invoke({ size: long, log: 'a' }, at)
    expect((await app.invoke({ log: 'b' }, at)).log).toEqual(['a', ...turn, 'b', 'seen 4', 'b'])
  })

  test('of a deleted thread gives nothing of it to a new one of the same id', async () => {
    const { app, checkpointer } = house()
    await app.invoke({ size: long, log: 'old', note: 'secret' }, at)
    await checkpointer.threads.delete(key)
    await app.invoke({ size: long, log: 'new' }, at)
    for (let number = 0; number < 3; number++) {
      const { note, log } = await app.invoke({}, at)
      expect(note).toBeUndefined()
      expect(log).not.toContain('old')
    }
  })

  test('of a deleted thread that was shorter gives nothing of it to a longer one', async () => {
    const { app, cache, checkpointer } = house()
    const short = new StateGraph({ state, nodes: { a: () => ({}) }, edges: { start: 'a' } })
    await short.compile({ checkpointer, cache }).invoke({ size: long, note: 'secret' }, at)
    await checkpointer.threads.delete(key)
    await app.invoke({ size: long, log: 'new' }, at)
    expect((await app.invoke({ log: 'x' }, at)).note).toBeUndefined()
    expect((await app.invoke({ log: 'y' }, at)).note).toBeUndefined()
  })

  test("of one owner is not another's", async () => {
    const { app, checkpointer } = house()
    await app.invoke({ size: long, note: 'of ada' }, at)
    await checkpointer.threads.delete(key)
    const bob = { ...at, user: 'bob' }
    await app.invoke({ size: long }, bob)
    expect((await app.invoke({}, bob)).note).toBeUndefined()
  })
})
