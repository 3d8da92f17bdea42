// What every cache must do, and what a turn may rely on.
import { describe, expect, it } from 'vitest'
import type { Cache, CacheKey } from '../../../src/ports/cache.ts'

const odd = 'Grüße \u0000 😀 {"a":"b"} \\ \'quoted\' 42'

export function cacheContract(name: string, make: () => Promise<Cache> | Cache): void {
  let threads = 0
  const fresh = (change: Partial<CacheKey> = {}): CacheKey => {
    threads++
    return { tenant: 'acme', thread: `thread-${threads}`, owner: 'alex', ...change }
  }
  const state = { seq: 2, hash: 'h2', text: odd }
  const turn = { seq: 4, hash: 'h4', text: 'null' }

  describe(`the cache ${name}`, () => {
    it('knows nothing of a thread that it was never told of', async () => {
      expect(await (await make()).read(fresh())).toEqual([])
    })

    it('gives back what was put, to the letter', async () => {
      const cache = await make()
      const key = fresh()
      await cache.replace(key, state)
      expect(await cache.read(key)).toEqual([state])
    })

    it('appends behind the entry it was told to', async () => {
      const cache = await make()
      const key = fresh()
      await cache.replace(key, state)
      await cache.append(key, state, [turn])
      await cache.append(key, turn, [
        { ...turn, seq: 6, hash: 'h6' },
        { ...turn, seq: 8, hash: 'h8' },
      ])
      expect((await cache.read(key)).map(({ seq }) => seq)).toEqual([2, 4, 6, 8])
    })

    it('does not append behind another entry', async () => {
      const cache = await make()
      const key = fresh()
      await cache.replace(key, state)
      await cache.append(key, { seq: 2, hash: 'other' }, [turn])
      await cache.append(key, { seq: 20, hash: 'h2' }, [turn])
      await cache.append(key, { seq: 2, hash: 'h' }, [turn])
      expect(await cache.read(key)).toEqual([state])
    })

    it('appends the same turn once, however often it is told', async () => {
      const cache = await make()
      const key = fresh()
      await cache.replace(key, state)
      await Promise.all([1, 2, 3].map(() => cache.append(key, state, [turn])))
      expect(await cache.read(key)).toEqual([state, turn])
    })

    it('never begins a thread by appending', async () => {
      const cache = await make()
      const key = fresh()
      await cache.append(key, state, [turn])
      expect(await cache.read(key)).toEqual([])
    })

    it('puts a state in the place of all that was kept', async () => {
      const cache = await make()
      const key = fresh()
      await cache.replace(key, state)
      await cache.append(key, state, [turn])
      await cache.replace(key, { seq: 9, hash: 'h9', text: 'new' })
      expect((await cache.read(key)).map(({ seq }) => seq)).toEqual([9])
    })

    it('puts nothing in the place of all that was kept, and keeps the thread again when it is told', async () => {
      const cache = await make()
      const key = fresh()
      await cache.replace(key, state)
      await cache.append(key, state, [turn])
      await cache.replace(key, undefined)
      expect(await cache.read(key)).toEqual([])
      await cache.append(key, turn, [{ seq: 9, hash: 'h9', text: 'more' }])
      expect(await cache.read(key)).toEqual([])
      await cache.replace(key, state)
      expect(await cache.read(key)).toEqual([state])
    })

    it('forgets a thread', async () => {
      const cache = await make()
      const key = fresh()
      await cache.replace(key, state)
      await cache.delete(key)
      expect(await cache.read(key)).toEqual([])
    })

    it('keeps nothing of a thread that was deleted just now, whatever a late turn still writes', async () => {
      const cache = await make()
      const key = fresh()
      await cache.replace(key, state)
      await cache.delete(key)
      await cache.append(key, state, [turn])
      await cache.replace(key, state)
      await cache.delete(key)
      await cache.replace(key, undefined)
      await cache.replace(key, state)
      expect(await cache.read(key)).toEqual([])
      await cache.replace({ ...key, owner: 'other' }, state)
      expect(await cache.read({ ...key, owner: 'other' })).toEqual([state])
    })

    it('keeps tenants, threads and owners apart, also when their names run together', async () => {
      const cache = await make()
      await cache.replace({ tenant: 'a', thread: 'b:c', owner: 'd' }, state)
      for (const key of [
        { tenant: 'a:b', thread: 'c', owner: 'd' },
        { tenant: 'a', thread: 'b', owner: 'c:d' },
        { tenant: 'a', thread: 'b:c', owner: 'e' },
        { tenant: 'A', thread: 'b:c', owner: 'd' },
      ]) {
        expect(await cache.read(key)).toEqual([])
      }
    })
  })
}
