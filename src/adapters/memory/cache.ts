// The cache in the memory of one process.
import type { Cache, CacheEntry, CacheKey } from '../../ports/cache.ts'

const deletedForMs = 120_000

/** Everything is lost with the process. */
export function memoryCache(): Cache {
  const kept = new Map<string, CacheEntry[]>()
  /** Until when a thread that was deleted is not kept. */
  const deleted = new Map<string, number>()
  const nameOf = ({ tenant, thread, owner }: CacheKey) => JSON.stringify([tenant, thread, owner])
  return {
    longest: Number.POSITIVE_INFINITY,
    read: async (key) => [...(kept.get(nameOf(key)) ?? [])],
    append: async (key, after, entries) => {
      const list = kept.get(nameOf(key))
      const tip = list?.at(-1)
      if (tip?.seq === after.seq && tip.hash === after.hash) list?.push(...entries)
    },
    replace: async (key, state) => {
      if ((deleted.get(nameOf(key)) ?? 0) < Date.now()) kept.set(nameOf(key), state === undefined ? [] : [state])
    },
    delete: async (key) => {
      kept.delete(nameOf(key))
      deleted.set(nameOf(key), Date.now() + deletedForMs)
    },
  }
}
