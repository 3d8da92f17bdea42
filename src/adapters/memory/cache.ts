// The cache in the memory of one process.
import type { Cache, CacheEntry, CacheKey } from '../../ports/cache.ts'

export function memoryCache(): Cache {
  const kept = new Map<string, CacheEntry[]>()
  const nameOf = ({ tenant, thread, owner }: CacheKey) => JSON.stringify([tenant, thread, owner])
  return {
    read: async (key) => [...(kept.get(nameOf(key)) ?? [])],
    append: async (key, after, entries) => {
      const list = kept.get(nameOf(key))
      const tip = list?.at(-1)
      if (tip?.seq === after.seq && tip.hash === after.hash) list?.push(...entries)
    },
    replace: async (key, state) => {
      kept.set(nameOf(key), [state])
    },
    delete: async (key) => {
      kept.delete(nameOf(key))
    },
  }
}
