// What every event log must do, and what a reader who comes back may rely on.
import { describe, expect, it } from 'vitest'
import type { CacheKey } from '../../../src/ports/cache.ts'
import type { EventLog, EventPart } from '../../../src/ports/event-log.ts'

const odd = 'Grüße \u0000 😀 {"a":"b"} \\ \'quoted\' 42'

export function eventLogContract(name: string, make: () => EventLog): void {
  let threads = 0
  const fresh = (change: Partial<CacheKey> = {}): CacheKey => {
    threads++
    return { tenant: 'acme', thread: `thread-${threads}`, owner: 'alex', ...change }
  }
  const part = (epoch: number, index: number, text = `${epoch}/${index}`): EventPart => ({ epoch, index, text })
  const told = async (log: EventLog, key: CacheKey, after?: { epoch: number; index: number }) =>
    (await log.read(key, after)).map(({ text }) => text)

  describe(`the event log ${name}`, () => {
    it('knows nothing of a thread that it was never told of', async () => {
      expect(await make().read(fresh())).toEqual([])
      expect(await make().read(fresh(), { epoch: 1, index: 0 })).toEqual([])
    })

    it('gives back what was told, to the letter and in order', async () => {
      const log = make()
      const key = fresh()
      const parts = [part(3, 0, odd), part(3, 1, ''), part(3, 2, 'x'.repeat(100_000))]
      for (const each of parts) expect(await log.append(key, each)).toBe(true)
      expect(await log.read(key)).toEqual(parts)
    })

    it('gives a reader what stands behind the part it knows', async () => {
      const log = make()
      const key = fresh()
      for (const index of [0, 1, 2]) await log.append(key, part(3, index))
      expect(await told(log, key, { epoch: 3, index: 0 })).toEqual(['3/1', '3/2'])
      expect(await told(log, key, { epoch: 3, index: 2 })).toEqual([])
    })

    it('keeps a part once, however often it is sent', async () => {
      const log = make()
      const key = fresh()
      expect(await Promise.all([1, 2, 3].map(() => log.append(key, part(1, 0))))).toEqual([true, true, true])
      expect(await told(log, key)).toEqual(['1/0'])
    })

    it('takes no part before the one that goes before it, nor an older one again', async () => {
      const log = make()
      const key = fresh()
      expect(await log.append(key, part(1, 1))).toBe(false)
      for (const index of [0, 1, 2]) await log.append(key, part(1, index))
      expect(await log.append(key, part(1, 4))).toBe(false)
      expect(await log.append(key, part(1, 0))).toBe(false)
      expect(await told(log, key)).toEqual(['1/0', '1/1', '1/2'])
    })

    it('T7 begins anew with a later claim, and takes nothing more of an earlier one', async () => {
      const log = make()
      const key = fresh()
      for (const index of [0, 1]) await log.append(key, part(1, index))
      expect(await log.append(key, part(2, 1))).toBe(false)
      expect(await log.append(key, part(2, 0))).toBe(true)
      expect(await log.append(key, part(1, 2))).toBe(false)
      expect(await log.append(key, part(1, 0))).toBe(false)
      expect(await told(log, key)).toEqual(['2/0'])
      expect(await told(log, key, { epoch: 1, index: 1 })).toEqual(['2/0'])
      expect(await told(log, key, { epoch: 1, index: 0 })).toEqual(['2/0'])
      expect(await log.append(key, part(10, 0))).toBe(true)
      expect(await log.append(key, part(9, 0))).toBe(false)
    })

    it('keeps nothing of a thread that was deleted just now', async () => {
      const log = make()
      const key = fresh()
      await log.append(key, part(1, 0))
      await log.delete(key)
      await log.delete(key)
      expect(await log.read(key)).toEqual([])
      expect(await log.append(key, part(1, 1))).toBe(false)
      expect(await log.append(key, part(2, 0))).toBe(false)
      expect(await log.read(key)).toEqual([])
    })

    it('keeps tenants, threads and owners apart, also when their names run together', async () => {
      const log = make()
      await log.append({ tenant: 'a', thread: 'b:c', owner: 'd' }, part(1, 0))
      for (const key of [
        { tenant: 'a:b', thread: 'c', owner: 'd' },
        { tenant: 'a', thread: 'b', owner: 'c:d' },
        { tenant: 'a', thread: 'b:c', owner: 'e' },
        { tenant: 'A', thread: 'b:c', owner: 'd' },
      ]) {
        expect(await log.read(key)).toEqual([])
      }
    })
  })
}
